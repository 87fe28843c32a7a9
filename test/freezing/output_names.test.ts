import { describe, expect, it } from 'vitest';
import { fold } from '../../src/freezing/fold.js';
import { freeze } from '../../src/freezing/freeze.js';
import { parseGraph } from '../../src/notation/parse.js';
import { verify } from '../../src/proof/verify.js';
import { runGraph } from '../../src/run/run.js';
import { modelOf } from '../support/model.js';
import { counted, literal } from '../support/run.js';

const NET = `
  x = Placeholder[shape=[?, 4, 4, 2]]
  conv = Conv2D(x, ${literal([1, 1, 2, 2])})[padding=SAME, strides=[1, 1, 1, 1]]
  bn = FusedBatchNormV3(conv, [1.0, 2.0], [0.0, 1.0], [1.0, 0.0], [4.0, 1.0])[is_training=false]
  probs = Tanh(bn)
  y = Identity(Relu(probs))`;

const model = () => modelOf(parseGraph(NET));

describe.each([
  ['freeze', freeze],
  ['fold', fold],
] as const)('%s', (_, make) => {
  it('names outputs, one of which has the name of an op inside', async () => {
    const outputs = ['y', 'bn'];
    const plain = make(model(), { outputs });
    const named = make(model(), { outputs, outputNames: { y: 'probs', bn: 'features/bn' } });
    expect(named.report.outputs).toEqual([
      { name: 'probs:0', dtype: 'float32', shape: [-1, 4, 4, 2] },
      { name: 'features/bn:0', dtype: 'float32', shape: [-1, 4, 4, 2] },
    ]);
    const feeds = { x: counted([2, 4, 4, 2]) };
    const [before, after] = [
      await runGraph(plain.graph, feeds, outputs),
      await runGraph(named.graph, feeds, ['probs', 'features/bn']),
    ];
    expect(Object.values(after)).toEqual(Object.values(before));
    expect(named.graph.get('probs_1').op).toBe('Tanh');
  });
});

it('names an output that was folded', () => {
  const { graph, report } = fold(model(), { outputs: ['bn'], outputNames: { bn: 'features' } });
  expect(graph.get('features').op).toBe('BiasAdd');
  expect(report.folded.map(({ into }) => into)).toEqual([['conv']]);
});

it.each<[string, Record<string, string>, string]>([
  ['what is no output', { conv: 'a' }, 'conv is not an output of the result'],
  ['no name', { y: '_a' }, '_a is not a name of an op'],
  ['a name of a tensor', { y: 'a:0' }, 'a:0 is not a name of an op'],
  ['an empty name', { y: '' }, ' is not a name of an op'],
  ['an empty scope', { y: 'a//b' }, 'a//b is not a name of an op'],
  ['the name of an input', { y: 'x' }, 'an input is named x'],
  ['the name of another output', { y: 'bn' }, 'another output is named bn'],
  ['one name for two outputs', { y: 'a', bn: 'a' }, 'y and bn get the name a'],
  ['two names for one output', { y: 'a', 'y:0': 'b' }, 'y gets 2 names'],
])('refuses %s', (_, outputNames, message) => {
  expect(() => freeze(model(), { outputs: ['y', 'bn'], outputNames })).toThrow(
    expect.objectContaining({ code: 'usage', option: 'outputNames', message }),
  );
});

it('keeps a name that is given once more', () => {
  const [plain, same] = [{}, { y: 'y' }].map((outputNames) => freeze(model(), { outputs: ['y'], outputNames }));
  expect(same!.report.outcomes).toEqual(plain!.report.outcomes);
});

it('verify compares the outputs under their names in the model', async () => {
  const report = await verify(model(), { outputs: ['y'], outputNames: { y: 'probs' } });
  expect(JSON.stringify(report)).toBe(JSON.stringify(await verify(model(), { outputs: ['y'] })));
});
