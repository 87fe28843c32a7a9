import { describe, expect, it } from 'vitest';
import { signaturesOf } from '../../../src/formats/signature.js';
import type { SignatureTensor } from '../../../src/graph/meta_graph_def.js';
import { analyse, freeze, type Model } from '../../../src/index.js';
import { parseGraph } from '../../../src/notation/parse.js';
import { modelOf } from '../../support/model.js';

/** A model with a signature of these outputs. */
function signed(outputs: Readonly<Record<string, SignatureTensor>>, name = 'serving_default'): Model {
  const graph = parseGraph(`
    x = Placeholder[shape=[?, 2]]
    scores = MatMul(x, [[1.0], [2.0]])
    where = Where(Greater(x, 0.5))
    values = GatherNd(x, where)
    size = Shape(x)[out_type=int64]
  `);
  return { ...modelOf(graph), metaGraphDef: { signature_def: { [name]: { outputs } } } };
}

const SPARSE: SignatureTensor = {
  coo_sparse: {
    values_tensor_name: 'values:0',
    indices_tensor_name: 'where:0',
    dense_shape_tensor_name: 'size:0',
  },
};

describe('outputs of a signature', () => {
  it('a sparse output is three tensors, and keeps its name', () => {
    const model = signed({ dense: { name: 'scores:0' }, kept: SPARSE });
    const { graph, report } = freeze(model);
    expect(report.outputs.map(({ name }) => name)).toEqual(['scores:0', 'size:0', 'values:0', 'where:0']);
    const [served] = signaturesOf({ graph, report, model });
    expect(served!.outputs.map(({ key, ref }) => `${key} ${ref.node}`)).toEqual([
      'dense scores',
      'kept_dense_shape size',
      'kept_values values',
      'kept_indices where',
    ]);
  });

  it.each<[string, SignatureTensor]>([
    ['a node that is not in the graph', { name: 'lost:0' }],
    ['an output that the op does not have', { name: 'scores:3' }],
    ['an output with a negative index', { name: 'scores:-1' }],
    ['no tensor, as a ragged one', {}],
  ])('%s: refused by its name in the signature', (_, lost) => {
    const model = signed({ dense: { name: 'scores:0' }, lost });
    expect(analyse(model).problems).toEqual([
      { code: 'outputs_missing', signature: 'serving_default', outputs: ['lost'] },
    ]);
    expect(() => freeze(model)).toThrow(
      expect.objectContaining({
        code: 'usage',
        message: 'the graph lacks 1 output of the signature serving_default',
        whyLines: ['bnfix finds no tensor for lost'],
        fixes: [{ option: 'outputs', value: 'scores', text: 'takes the outputs that are there' }],
      }),
    );
    expect(freeze(model, { outputs: ['scores'] }).report.outputs).toHaveLength(1);
  });

  it('a sparse output in part', () => {
    const model = signed({ kept: { coo_sparse: { ...SPARSE.coo_sparse, values_tensor_name: 'gone:0' } } }, 'only');
    expect(analyse(model).problems).toEqual([{ code: 'outputs_missing', signature: 'only', outputs: ['kept_values'] }]);
  });
});
