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

  it('none of them is in the graph: refused with the candidates, not replaced by what the graph looks like', () => {
    const model = signed({ out: { name: 'lost:0' } });
    const { outputs, problems } = analyse(model);
    expect([outputs.refs, outputs.reason]).toEqual([[], { code: 'signature', name: 'serving_default' }]);
    expect(problems).toEqual([{ code: 'outputs_missing', signature: 'serving_default', outputs: ['out'] }]);
    const refusal = expect.objectContaining({
      code: 'usage',
      message: 'the graph lacks 1 output of the signature serving_default',
      whyLines: expect.arrayContaining(['bnfix finds no tensor for out', 'candidates, best first:']),
      fixes: [{ option: 'outputs', value: 'scores', text: 'names the output' }],
    });
    expect(() => freeze(model)).toThrow(refusal);
    expect(() => freeze(model, { signature: 'serving_default' })).toThrow(refusal);
    expect(freeze(model, { outputs: ['scores'] }).report.outputs).toHaveLength(1);
  });

  it('of several signatures, the only one with outputs in the graph is taken; with none, the first is missing', () => {
    const lost = { outputs: { out: { name: 'lost:0' } } };
    const model = signed({ dense: { name: 'scores:0' } }, 'kept');
    const definitions = model.metaGraphDef.signature_def!;
    const withLost = { ...model, metaGraphDef: { signature_def: { a: lost, ...definitions, b: lost } } };
    expect(analyse(withLost).outputs.reason).toEqual({ code: 'signature', name: 'kept' });
    const onlyLost = { ...model, metaGraphDef: { signature_def: { a: lost, b: lost } } };
    expect(analyse(onlyLost).problems).toEqual([{ code: 'outputs_missing', signature: 'a', outputs: ['out'] }]);
  });

  it('a signature without outputs is named as such', () => {
    expect(() => analyse(signed({}, 'train'), { signature: 'train' })).toThrow(
      expect.objectContaining({
        message: 'the signature train has no outputs',
        fixes: [{ text: 'this model has no signatures with outputs: leave it out' }],
      }),
    );
    expect(analyse(signed({}, 'train')).outputs.reason.code).not.toBe('signature');
  });

  it('a sparse output in part', () => {
    const model = signed({ kept: { coo_sparse: { ...SPARSE.coo_sparse, values_tensor_name: 'gone:0' } } }, 'only');
    expect(analyse(model).problems).toEqual([{ code: 'outputs_missing', signature: 'only', outputs: ['kept_values'] }]);
  });
});
