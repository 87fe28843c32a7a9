import { describe, expect, it } from 'vitest';
import { flagText } from '../../src/cli/flags.js';
import { fold } from '../../src/freezing/fold.js';
import { freeze } from '../../src/freezing/freeze.js';
import { TARGET_NAMES, type TargetName } from '../../src/freezing/target_names.js';
import { noticeText } from '../../src/freezing/wording.js';
import { parseGraph } from '../../src/notation/parse.js';
import { runGraph } from '../../src/run/run.js';
import { difference } from '../support/compare.js';
import { modelOf } from '../support/model.js';
import { counted, literal } from '../support/run.js';

const NET = `
  x = Placeholder[shape=[?, 4, 4, 2]]
  bn = FusedBatchNormV3(x, [1.0, 2.0], [0.0, 1.0], [1.0, 0.0], [4.0, 1.0])[is_training=false]
  p = Relu(bn)
  features = Identity(p)
  flat = Reshape(p, [-1, 32])
  scores = BiasAdd(MatMul(flat, ${literal([32, 3])}), [1.0, 2.0, 3.0])`;
const outputs = ['scores', 'features'];
const model = () => modelOf(parseGraph(NET));

describe.each([
  ['freeze', freeze],
  ['fold', fold],
] as const)('%s', (_, make) => {
  it.each(TARGET_NAMES)('%s: the same outputs under the same names', async (target) => {
    const [plain, meant] = [make(model(), { outputs }), make(model(), { outputs, target })];
    const feeds = { x: counted([3, 4, 4, 2]) };
    const [right, values] = [await runGraph(plain.graph, feeds, outputs), await runGraph(meant.graph, feeds, outputs)];
    for (const name of outputs) expect(difference(values[name]!, right[name]!)).toBeLessThan(1e-6);
    expect(meant.report.outputs).toEqual(plain.report.outputs);
  });

  it('opencv: the names are those of ops that its importer keeps', () => {
    const { graph } = make(model(), { outputs, target: 'opencv' });
    expect(outputs.map((name) => graph.get(name).op)).toEqual(['Reshape', 'Relu']);
    const named = make(model(), { outputs, target: 'opencv', outputNames: { scores: 'probs' } });
    expect(named.graph.get('probs').op).toBe('Reshape');
  });
});

it.each([
  ['onnx', ['FusedBatchNormV3']],
  ['openvino', ['FusedBatchNormV3']],
  ['opencv', ['FusedBatchNormV3']],
  ['tfjs', ['FusedBatchNormV3']],
  ['tflite', ['Add', 'Mul']],
  [undefined, ['Add', 'Mul']],
] as const)('%s: a batch norm that cannot be folded becomes %j', (target, ops) => {
  const { graph, report } = fold(model(), { outputs, ...(target && { target }) });
  const found = Array.from(graph.nodes(), ({ op }) => op);
  expect(found.filter((op) => /^(FusedBatchNormV3|Mul|Add)$/.test(op))).toEqual(ops);
  const isOne = target !== undefined && target !== 'tflite';
  const reasons = report.folded.map(({ action, reasons: all }) => [action, all.at(-1)?.code]);
  expect(reasons).toEqual([isOne ? ['kept', 'one_op_for_target'] : ['arithmetic', 'reader_not_linear']]);
});

it.each([
  ['opencv', ['Enter', 'Merge', 'LoopCond', 'Switch', 'NextIteration', 'Exit']],
  ['tflite', []],
  ['onnx', []],
  ['tfjs', ['Asinh3']],
] as const)('%s: warns of ops that the program does not have', (target, ops) => {
  const text = `
    x = Placeholder[shape=[?, 2]]
    e = Enter(x)[frame_name=f]
    m = Merge(e, next)
    axes = Enter([0, 1])[frame_name=f, is_constant=true]
    most = Enter(10.0)[frame_name=f, is_constant=true]
    two = Enter(2.0)[frame_name=f, is_constant=true]
    c = LoopCond(Less(Max(m, axes), most))
    s = Switch(m, c)
    n = Mul(s:1, two)
    next = NextIteration(n)
    loop = Exit(s)
    y = Asinh3(loop)`;
  const { report } = freeze(modelOf(parseGraph(text)), { outputs: ['y'], target });
  const found = report.notices.flatMap((notice) => (notice.code === 'target_lacks_ops' ? [notice] : []));
  expect(found.flatMap((notice) => notice.ops).sort()).toEqual([...ops].sort());
  if (ops.length === 0) return;
  expect(found[0]!.nodes[found[0]!.ops.indexOf(ops[0])]).toBe(target === 'tfjs' ? 'y' : 'e');
  expect(noticeText(found[0]!, flagText)).toContain(`${target} does not have `);
});

it('refuses another name', () => {
  expect(() => freeze(model(), { outputs, target: 'toString' as TargetName })).toThrow(
    expect.objectContaining({ code: 'usage', option: 'target', message: 'unknown target toString' }),
  );
});
