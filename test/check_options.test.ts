import { describe, expect, it } from 'vitest';
import { checkOptions } from '../src/check_options.js';
import { fold } from '../src/freezing/fold.js';
import { freeze } from '../src/freezing/freeze.js';
import { load } from '../src/load.js';
import { writeGraph } from '../src/writers/graph_file.js';
import { fixture } from './cli/support.js';

const MODEL = fixture('no_batch_norm/model.meta');
/** Options as they come from JavaScript. */
const untyped = (options: unknown) => options as never;

async function thrown(work: () => unknown): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('checkOptions', () => {
  const kinds = { list: 'strings', text: 'string', on: 'boolean', map: 'record', other: 'any' } as const;
  const check = (options: object) => () => checkOptions<object>('work', options, kinds);

  it.each([{}, { list: undefined }, { list: ['a'], text: '', on: false, map: { a: 1 }, other: 1 }])(
    'takes %j',
    (options) => {
      expect(check(options)).not.toThrow();
    },
  );

  it.each<[object, string, string, string | undefined]>([
    [{ list: 'a' }, 'the option list of work takes a list of strings', 'it is "a"', "list: ['a']"],
    [{ list: [1] }, 'the option list of work takes a list of strings', 'it is [1]', undefined],
    [{ text: 1 }, 'the option text of work takes a string', 'it is 1', undefined],
    [{ on: 'yes' }, 'the option on of work takes true or false', 'it is "yes"', undefined],
    [{ map: ['a'] }, 'the option map of work takes an object', 'it is ["a"]', undefined],
  ])('refuses %j', (options, message, why, fix) => {
    expect(check(options)).toThrow(expect.objectContaining({ code: 'usage', message, why, fix }));
  });

  it('refuses what it does not know', () => {
    expect(check({ lists: [] })).toThrow(
      expect.objectContaining({ message: 'work has no option lists', option: 'lists', fix: 'did you mean list?' }),
    );
    expect(check({ zebra: 1 })).toThrow(
      expect.objectContaining({ fix: 'its options are: list, text, on, map, other' }),
    );
  });
});

describe('the library checks the options of', () => {
  it('load', async () => {
    expect(await thrown(() => load(MODEL, untyped({ meta: 'a' })))).toMatchObject({ code: 'usage', option: 'meta' });
    expect(await thrown(() => load(MODEL, untyped({ tag: ['serve'] })))).toMatchObject({ option: 'tag' });
    expect(await thrown(() => load(untyped(undefined)))).toMatchObject({ code: 'usage' });
    expect(await thrown(() => load(untyped({ graph: MODEL })))).toMatchObject({
      code: 'usage',
      message: 'the graph is neither bytes nor a source of bytes',
    });
  });

  it('freeze and fold', async () => {
    const model = await load(MODEL);
    expect(() => freeze(model, untyped({ outputs: 'fc/BiasAdd' }))).toThrow(
      'the option outputs of freeze takes a list',
    );
    expect(() => freeze(model, untyped({ duplicateWeights: true }))).toThrow('freeze has no option duplicateWeights');
    expect(() => fold(model, untyped({ keeps: [] }))).toThrow('fold has no option keeps');
    expect(() => fold(model, { duplicateWeights: true, outputs: ['fc/BiasAdd'] })).not.toThrow();
    model.close();
  });

  it('writeGraph', async () => {
    const model = await load(MODEL);
    const frozen = freeze(model, { outputs: ['fc/BiasAdd'] });
    model.close();
    expect(await thrown(() => writeGraph('never.pb', frozen, untyped({ overwrite: true })))).toMatchObject({
      code: 'usage',
      message: 'writeGraph has no option overwrite',
    });
  });
});
