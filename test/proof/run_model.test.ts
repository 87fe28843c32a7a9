import { describe, expect, it } from 'vitest';
import type { MetaGraphDef } from '../../src/graph/meta_graph_def.js';
import { parseGraph } from '../../src/notation/parse.js';
import { runModel } from '../../src/proof/run_model.js';
import { modelOf } from '../support/model.js';

describe('which tensors a run fetches', () => {
  const graph = parseGraph(`
    x = Placeholder[shape=[?, 2]]
    scores = MatMul(x, [[1.0], [2.0]])
  `);
  const run = (outputs: Readonly<Record<string, { name: string }>>, freeze = {}) => {
    const metaGraphDef: MetaGraphDef = { signature_def: { serving_default: { outputs } } };
    return runModel({ ...modelOf(graph), metaGraphDef }, { freeze, repaired: false, values: () => ({}) });
  };

  it.each([
    ['some outputs', { scores: { name: 'scores:0' }, out: { name: 'lost:0' } }, 'takes the outputs that are there'],
    ['all outputs', { out: { name: 'lost:0' } }, 'names the output'],
  ])('a signature with %s missing is refused, not run in part', async (_, outputs, text) => {
    await expect(run(outputs)).rejects.toMatchObject({
      code: 'usage',
      message: 'the graph lacks 1 output of the signature serving_default',
      fixes: [{ option: 'outputs', value: 'scores', text }],
    });
    expect(Object.keys((await run(outputs, { outputs: ['scores'] })).outputs)).toEqual(['scores:0']);
  });
});
