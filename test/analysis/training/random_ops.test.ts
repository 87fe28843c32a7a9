import { describe, expect, it } from 'vitest';
import { findDropouts } from '../../../src/analysis/training/dropouts.js';
import { freeze } from '../../../src/freezing/freeze.js';
import { ancestors } from '../../../src/graph/walk.js';
import { parseGraph } from '../../../src/notation/parse.js';
import { modelOf } from '../../support/model.js';

/** Uniform on [0, 1), in all its spellings. */
const UNIFORM = [
  'RandomUniform([4, 8])',
  'StatelessRandomUniform([4, 8], [1, 2])',
  'StatelessRandomUniformV2([4, 8], key, counter, 1)',
];
const NORMAL = [
  'RandomStandardNormal([4, 8])',
  'TruncatedNormal([4, 8])',
  'StatelessRandomNormal([4, 8], [1, 2])',
  'StatelessRandomNormalV2([4, 8], key, counter, 1)',
  'StatelessTruncatedNormalV2([4, 8], key, counter, 1)',
];
const GIVEN = `
x = Placeholder[shape=[4, 8]]
key = Const[uint64, value=[1]]
counter = Const[uint64, value=[1, 2]]
`;

describe('a flag that switches a random op alone', () => {
  it.each([...UNIFORM, ...NORMAL])('is set to inference, and folded: %s', (random) => {
    const graph = parseGraph(`${GIVEN}
      training = Placeholder[bool, shape=[]]
      r = ${random}
      y = SelectV2(training, x * (r * 0.5 + 1.0), x)
      out = Relu(y)`);
    const frozen = freeze(modelOf(graph), { outputs: ['out'] });
    expect([...frozen.graph.nodes()].map(({ name }) => name)).toEqual(['x', 'out']);
  });
});

function dropoutsOf(text: string) {
  const graph = parseGraph(GIVEN + text);
  return findDropouts(graph, ancestors(graph, ['y'], false), [{ node: 'y', port: 0 }]);
}

describe('findDropouts', () => {
  it.each(UNIFORM)('finds the dropout of %s', (random) => {
    const { dropouts, stray } = dropoutsOf(`r = ${random}\ny = Mul(RealDiv(x, 0.8), Floor(Add(0.8, r)))`);
    expect(dropouts).toEqual([{ output: 'y', x: { node: 'x', port: 0 }, random: 'r' }]);
    expect(stray).toEqual([]);
  });

  it('finds the mask of a Select, scaled after it', () => {
    const { dropouts } = dropoutsOf(
      'r = RandomUniform([4, 8])\nm = SelectV2(GreaterEqual(r, 0.25), x, 0.0)\ny = Div(m, 0.75)',
    );
    expect(dropouts).toEqual([{ output: 'y', x: { node: 'x', port: 0 }, random: 'r' }]);
  });

  it('finds Gaussian dropout', () => {
    expect(dropoutsOf('r = TruncatedNormal([4, 8])\ny = Mul(x, r * 0.3 + 1.0)').dropouts).toHaveLength(1);
  });

  it.each([
    ['unbalanced_mask', 'r = RandomUniform([4, 8])\ny = Mul(x, Floor(Add(0.8, r)))'],
    ['not_a_mask', 'r = RandomUniform([4, 8])\ny = Mul(x, MaxPool(Floor(r + 0.8))[ksize=[1, 2, 2, 1]])'],
    ['not_a_mask', 'r = StatelessRandomGammaV2([4, 8], [1, 2], 0.3)\ny = Mul(x, r)'],
    ['adds', 'r = RandomStandardNormal([4, 8])\ny = AddV2(x, r * 0.1)'],
    ['divides', 'r = RandomUniform([4, 8])\ny = RealDiv(x, r + 0.1)'],
    ['chooses', 'r = RandomUniform([])\ny = Select(Less(r, 0.5), x, Relu(x))'],
    ['branches', 'r = RandomUniform([])\ny = Switch(x, Less(r, 0.5))'],
    ['shuffles', 'y = RandomShuffle(x)'],
    ['chooses', 'r = RandomUniformInt([2], 0, 4)\ny = GatherV2(x, r, 0)'],
    ['changes_data', 'r = RandomUniform([])\ny = AdjustHue(x, r)'],
    ['changes_weights', 'r = RandomStandardNormal([8, 8])\ny = MatMul(x, r * 0.1)'],
    ['adds', 'w = VariableV2[shape=[8, 8]]\nr = RandomStandardNormal([8, 8])\ny = MatMul(x, w + r * 0.1)'],
  ])('says what else a random op does: %s', (code, text) => {
    const { dropouts, stray } = dropoutsOf(text);
    expect(dropouts).toEqual([]);
    expect(stray.map(({ problem }) => problem.code)).toEqual([code]);
  });

  it('leaves a latent variable alone', () => {
    const { dropouts, stray } = dropoutsOf('r = RandomStandardNormal([4, 8])\ny = ConcatV2(x, r, 1)');
    expect([...dropouts, ...stray]).toEqual([]);
  });

  it('leaves what draws an answer alone', () => {
    const { dropouts, stray } = dropoutsOf('r = Multinomial(x, 1)\ny = GatherV2(x, r, 0)');
    expect([...dropouts, ...stray]).toEqual([]);
  });
});
