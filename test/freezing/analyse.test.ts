import { afterEach, describe, expect, it } from 'vitest';
import { BnfixError } from '../../src/errors.js';
import { analyse } from '../../src/freezing/analyse.js';
import { apply } from '../../src/freezing/apply.js';
import { freeze } from '../../src/freezing/freeze.js';
import { load } from '../../src/load.js';
import type { LoadedModel } from '../../src/load_sources.js';
import { parseGraph } from '../../src/notation/parse.js';
import { printGraph } from '../../src/notation/print.js';
import { graphBytes } from '../../src/writers/graph_bytes.js';
import { BAG_MODEL, fixture } from '../cli/support.js';
import { modelOf } from '../support/model.js';

const open: LoadedModel[] = [];
afterEach(() => {
  for (const model of open.splice(0)) model.close();
});

async function opened(path: string): Promise<LoadedModel> {
  const model = await load(path);
  open.push(model);
  return model;
}

/** One net with two heads. */
const TWO_HEADS = parseGraph(`
  x = Placeholder[shape=[?, 4, 4, 2]]
  a = FusedBatchNormV3(x, [1.0, 1.0], [0.0, 0.0], [], [])[epsilon=0.001, is_training=true]
  b = FusedBatchNormV3(a, [1.0, 1.0], [0.0, 0.0], [], [])[epsilon=0.001, is_training=true]
  w = VariableV2[shape=[1, 1, 2, 2]]
  first = Conv2D(a, w)[padding=VALID, strides=[1, 1, 1, 1]]
  second = Conv2D(b, w)[padding=VALID, strides=[1, 1, 1, 1]]
`);

/** Two nets that share nothing: the outputs have to be named. */
const TWO_NETS = parseGraph(`
  x = Placeholder[shape=[?, 4, 4, 2]]
  z = Placeholder[shape=[?, 4, 4, 2]]
  a = FusedBatchNormV3(x, [1.0, 1.0], [0.0, 0.0], [], [])[epsilon=0.001, is_training=true]
  b = FusedBatchNormV3(z, [1.0, 1.0], [0.0, 0.0], [], [])[epsilon=0.001, is_training=true]
  v = VariableV2[shape=[1, 1, 2, 2]]
  w = VariableV2[shape=[1, 1, 2, 2]]
  first = Conv2D(a, v)[padding=VALID, strides=[1, 1, 1, 1]]
  second = Conv2D(b, w)[padding=VALID, strides=[1, 1, 1, 1]]
`);

describe('analyse', () => {
  it('looks at every candidate where the outputs have to be named', () => {
    const { outputs, batchNorms, problems } = analyse(modelOf(TWO_NETS));
    expect(outputs).toMatchObject({ refs: [], reason: { code: 'unclear' } });
    expect(batchNorms.map(({ name, feeds }) => [name, feeds])).toEqual([
      ['a', ['first:0']],
      ['b', ['second:0']],
    ]);
    expect(problems[0]?.code).toBe('outputs_unclear');
  });

  it('throws for nothing that it finds in a graph; apply refuses all of it at once', () => {
    const analysis = analyse(modelOf(TWO_HEADS), { outputs: ['second'] });
    expect(analysis.problems.map(({ code }) => code)).toEqual(['unpaired', 'unpaired', 'no_value']);
    let thrown: unknown;
    try {
      apply(analysis);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(BnfixError);
    const { code, message, why, data } = thrown as BnfixError;
    expect({ code, message }).toEqual({
      code: 'statistics',
      message: '2 of 2 batch norms in training mode have no usable moving statistics',
    });
    expect(why).toContain('the value of w is needed');
    expect(data?.problems).toEqual(analysis.problems);
  });

  it('stays as it is when it is applied: twice gives the same bytes', async () => {
    const model = await opened(BAG_MODEL);
    const analysis = analyse(model);
    const before = printGraph(analysis.graph);
    const [first, second] = [graphBytes(apply(analysis)), graphBytes(apply(analysis))];
    expect(Buffer.from(first).equals(second)).toBe(true);
    expect(Buffer.from(first).equals(graphBytes(freeze(model)))).toBe(true);
    expect(printGraph(analysis.graph)).toBe(before);
  });

  it('does not change the model', async () => {
    const model = await opened(fixture('phase_train_113/model.meta'));
    const before = printGraph(model.graph);
    expect(freeze(model).report.flags.map(({ name, value }) => [name, value])).toEqual([['phase_train', false]]);
    expect(printGraph(model.graph)).toBe(before);
  });
});
