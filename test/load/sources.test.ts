import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { BnfixError } from '../../src/errors.js';
import { freeze } from '../../src/freezing/freeze.js';
import { FileSource } from '../../src/io/file_source.js';
import { load } from '../../src/load.js';
import type { LoadedModel, ModelSources } from '../../src/load_sources.js';
import { graphBytes } from '../../src/writers/graph_bytes.js';
import { fixture } from '../cli/support.js';

const read = (path: string) => readFileSync(fixture(path));

/** The files of a fixture whose names match, in the order of their names. */
function filesOf(name: string, pattern: RegExp): Buffer[] {
  const names = readdirSync(fixture(name)).filter((file) => pattern.test(file));
  return names.sort().map((file) => read(`${name}/${file}`));
}

function frozenBytes(model: LoadedModel, outputs: readonly string[]): Uint8Array {
  try {
    return graphBytes(freeze(model, { outputs }));
  } finally {
    model.close();
  }
}

async function failure(work: Promise<LoadedModel>): Promise<BnfixError> {
  return work.then(
    () => expect.unreachable(),
    (error: unknown) => error as BnfixError,
  );
}

describe('a model as bytes', () => {
  it.each<[string, (name: string) => ModelSources]>([
    ['slim_fused_115', (name) => v2(name)],
    ['sharded_212', (name) => v2(name)],
    [
      'checkpoint_v1_115',
      (name) => ({ graph: meta(name), checkpoint: { index: filesOf(name, /^model\.ckpt-100$/)[0]! } }),
    ],
    [
      'checkpoint_v1_sharded',
      (name) => {
        const [index, ...data] = filesOf(name, /-of-\d+$/);
        return { graph: meta(name), checkpoint: { index: index!, data } };
      },
    ],
  ])('%s freezes as its files do', async (name, sources) => {
    const { outputs, model } = JSON.parse(read(`${name}/case.json`).toString());
    const expected = frozenBytes(await load(fixture(`${name}/${model}`)), outputs);
    expect(Buffer.from(frozenBytes(await load(sources(name)), outputs)).equals(expected)).toBe(true);
  });

  const meta = (name: string) => filesOf(name, /\.meta$/)[0]!;
  const v2 = (name: string): ModelSources => ({
    graph: meta(name),
    checkpoint: { index: filesOf(name, /\.index$/)[0]!, data: filesOf(name, /\.data-/) },
  });

  it('may be read by position, and its sources are closed with it', async () => {
    const graph = new FileSource(fixture('frozen_inference_115/frozen.pb'));
    const model = await load({ graph });
    expect(model.name).toBe(graph.name);
    model[Symbol.dispose]();
    expect(() => graph.read(0, 1)).toThrow('cannot read');
  });

  it('takes the reference as bytes', async () => {
    const at = (file: string) => read(`frozen_training_reference/${file}`);
    const checkpoint = { index: at('model.index'), data: [at('model.data-00000-of-00001')] };
    const model = await load({ graph: at('frozen_inference_graph.pb'), checkpoint, reference: at('model.meta') });
    expect(freeze(model, { outputs: ['result'] }).report.batchNorms.map(({ status }) => status)).toEqual([
      'repaired',
      'repaired',
    ]);
    model.close();
  });

  it('says which data file is missing', async () => {
    const sources = v2('sharded_212');
    const { index, data } = sources.checkpoint!;
    const model = await load({ ...sources, checkpoint: { index, data: data!.slice(0, 1) } });
    expect(() => frozenBytes(model, [])).toThrow(
      expect.objectContaining({
        code: 'unreadable',
        message: 'checkpoint.data-00001-of-00002 is missing',
        why: 'the index names it, and checkpoint.data has 1 file',
        fix: 'give its contents as checkpoint.data[1]',
      }),
    );
  });

  it('goes with no path', async () => {
    for (const option of ['checkpoint', 'reference']) {
      expect(await failure(load(new Uint8Array(), { [option]: 'model' }))).toMatchObject({
        code: 'usage',
        option,
        message: `a model given as bytes cannot have a path as its ${option}`,
      });
    }
  });
});
