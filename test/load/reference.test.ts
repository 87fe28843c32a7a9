import { describe, expect, it } from 'vitest';
import { freeze } from '../../src/freezing/freeze.js';
import { load } from '../../src/load.js';
import { runGraph } from '../../src/run/run.js';
import { cli, fixture } from '../cli/support.js';
import { difference } from '../support/compare.js';
import { readGolden } from '../support/golden.js';

const at = (name: string) => fixture(`frozen_training_reference/${name}`);
const FROZEN = at('frozen_inference_graph.pb');
const options = { checkpoint: at('model'), reference: at('model.meta') };

async function thrown(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('the reference of a frozen model', () => {
  it('shows whose statistics are whose, and gives no weight', async () => {
    const golden = readGolden(at('golden.json'));
    const answers = async (path: string, given: Parameters<typeof load>[1]) => {
      const model = await load(path, given);
      try {
        const { graph } = freeze(model, { outputs: ['result'] });
        const outputs = await runGraph(graph, golden.inputs, ['result:0']);
        return difference(outputs['result:0']!, golden.outputs['result:0']!);
      } finally {
        model.close();
      }
    };
    expect(await answers(FROZEN, options)).toBeLessThan(1e-5);
    expect(await answers(at('model.meta'), {}), 'the reference itself outputs other numbers').toBeGreaterThan(0.1);
  });

  it('is needed where names tell nothing', async () => {
    const model = await load(FROZEN, { checkpoint: options.checkpoint });
    expect(() => freeze(model, { outputs: ['result'] })).toThrow('statistics');
    model.close();
  });

  it('does not replace a model that does not exist', async () => {
    expect(await thrown(load(at('missing.pb'), options))).toMatchObject({ code: 'unreadable' });
    for (const name of ['--reference', '--meta']) {
      const args = ['freeze', at('missing.pb'), name, options.reference, '--checkpoint', options.checkpoint];
      expect(await cli([...args, '--outputs', 'result', '--dry-run'])).toMatchObject({ code: 3, stdout: '' });
    }
  });

  it('is opened under its old name, too', async () => {
    const args = ['freeze', FROZEN, '--meta', options.reference, '--checkpoint', options.checkpoint];
    const { code, stdout } = await cli([...args, '--outputs', 'result', '--dry-run', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).model.name).toBe(FROZEN);
    expect(JSON.parse(stdout).batchNorms[0].evidence).toMatchObject({
      kind: 'reference',
      evidence: { kind: 'update op' },
    });
  });

  it('that has no name of the model is refused', async () => {
    const reference = fixture('no_batch_norm/model.meta');
    expect(await thrown(load(FROZEN, { reference }))).toMatchObject({
      code: 'usage',
      message: `${reference} is not the training graph of this model: they share no node name`,
    });
  });
});

describe('a checkpoint of another model', () => {
  it('is refused by name, not by its first missing variable', async () => {
    const checkpoint = fixture('no_batch_norm/model');
    const model = await load(fixture('slim_fused_115/model.meta'), { checkpoint });
    expect(() => freeze(model)).toThrow(
      expect.objectContaining({
        code: 'usage',
        message: expect.stringMatching(/model is not a checkpoint of this graph: it has values for 0 of its \d+ var/),
      }),
    );
    model.close();
  });
});
