import { describe, expect, it } from 'vitest';
import { Net } from '../../../../src/analysis/training/outputs/net.js';
import type { NodeSet } from '../../../../src/graph/node_set.js';
import { parseGraph } from '../../../../src/notation/parse.js';

const GIVEN = `
  x = Placeholder[shape=[?, 8]]
  w = VariableV2[shape=[8, 3]]
  back = VariableV2[shape=[3, 8]]
  layer = VariableV2[shape=[3, 2]]
  h = MatMul(x, w)
`;
const LABEL = 't = Placeholder[shape=[?, 3]]\n';

function netOf(text: string): Net {
  const graph = parseGraph(GIVEN + text);
  graph.setHeader({ versions: { producer: 1087 } });
  return new Net(graph);
}

const names = (nodes: NodeSet) =>
  [...nodes]
    .map(({ name }) => name)
    .sort()
    .join(' ');

describe('a net is compared with a label', () => {
  it.each([
    ['in a difference', `${LABEL}d = h - t\nloss = Mean(Square(d), [0, 1])`, 'd loss loss/Square', ''],
    [
      'in a loss op, after it is encoded',
      't = Placeholder[int32, shape=[?]]\none = OneHot(t, 3, 1.0, 0.0)\nloss = SoftmaxCrossEntropyWithLogits(h, one)',
      'loss',
      'one',
    ],
    [
      'in a loss with weights',
      `${LABEL}d = h - t\ne = d * VariableV2[shape=[3]]\nloss = Mean(e, [0, 1])`,
      'd e loss',
      '',
    ],
    ['before a layer, if all that meets it is a difference', `${LABEL}d = h - t\ne = MatMul(d, layer)`, 'd e', ''],
    [
      'before a layer, after a cast',
      't = Placeholder[int32, shape=[?, 3]]\nc = Cast(t)[SrcT=int32, DstT=float]\nd = h - c\ne = MatMul(d, layer)',
      'd e',
      'c',
    ],
    [
      'beside batch statistics',
      `${LABEL}m = Mean(h, [0])\ny = (h - m) * VariableV2[shape=[3]]\nd = y - t\nloss = Mean(d, [0, 1])`,
      'd loss',
      '',
    ],
    ['in a metric', 't = Placeholder[int32, shape=[?]]\nk = InTopKV2(h, t, 1)', 'k', ''],
    ['in a product that a loss averages', `${LABEL}p = h * t\nloss = Mean(p, [0, 1])`, 'loss p', ''],
    ['in a product with a logarithm', `${LABEL}p = Log(h)\ne = Sum(p * t, [1])`, 'e e/Mul', ''],
    [
      'in one of several ports',
      'it = IteratorGetNext(IteratorV2()[output_types=types[float, int32], output_shapes=shapes[[?, 8], [?]]])[output_types=types[float, int32], output_shapes=shapes[[?, 8], [?]]]\np = MatMul(it, w)\nloss = SparseSoftmaxCrossEntropyWithLogits(p, it:1)',
      'loss',
      '',
    ],
  ])('%s', (_, text, scored, labelled) => {
    const net = netOf(text);
    expect([names(net.scored), names(net.labelled)]).toEqual([scored, labelled]);
  });

  it.each([
    ['a number that is fed', 'k = Placeholder[shape=[]]\ny = h * k'],
    ['a flag', 'f = Placeholder[bool, shape=[]]\ny = Select(f, h, Relu(h))'],
    ['the condition of a Switch', 'f = Placeholder[bool, shape=[]]\ns = Switch(h, f)\ny = Merge(s, Relu(s:1))'],
    ['other data of the same layer', 't = Placeholder[shape=[?, 8]]\ny = Square(MatMul(t, w) - h)'],
    ['its own input', 'y = Square(x - MatMul(h, back))'],
    ['its own input before a layer', 'd = x - MatMul(h, back)\ny = MatMul(d, w)'],
    ['data that is subtracted and multiplied before a layer', `${LABEL}d = (h - t) + (h * t)\ny = MatMul(d, layer)`],
    ['a factor of the result', 'k = Placeholder[shape=?]\ny = Softmax(h / k)'],
    ['a mask of the result', `${LABEL}y = Relu(h) * t`],
    ['data that is added', `${LABEL}y = h + t`],
    ['random numbers', 'r = RandomStandardNormal(Shape(h))\ny = h * r'],
    ['data in a summary', `${LABEL}s = HistogramSummary("t", t)`],
    ['the shape of data', `${LABEL}y = Reshape(h, Shape(t))`],
  ])('not with %s', (_, text) => expect(names(netOf(text).scored)).toBe(''));
});

describe('gradients', () => {
  const step = 'step = ApplyGradientDescent(w, 0.1, gradients/h_grad/MatMul)\n';
  const loss = `${LABEL}loss = Mean(Square(h - t), [0, 1])\n`;
  it.each([
    [
      'of a loss',
      `${loss}gradients/loss_grad/Neg = Neg(h)\ngradients/h_grad/MatMul = MatMul(x, gradients/loss_grad/Neg)[transpose_a=true]\n${step}`,
      'gradients/h_grad/MatMul gradients/loss_grad/Neg',
      'h loss',
      '',
    ],
    [
      'that are given',
      `g = Placeholder[shape=[?, 3]]\ngradients/grad_ys_0 = Identity(g)\ngradients/h_grad/MatMul = MatMul(x, gradients/grad_ys_0)[transpose_a=true]\n${step}`,
      'gradients/grad_ys_0 gradients/h_grad/MatMul',
      'h',
      'h',
    ],
    [
      'that are fed',
      `g = Placeholder[shape=[?, 3]]\ngradients/h_grad/MatMul = MatMul(x, g)[transpose_a=true]\n${step}`,
      'gradients/h_grad/MatMul',
      'h',
      'h',
    ],
    [
      'that train nothing',
      'gradients/h_grad/MatMul = MatMul(x, h)[transpose_a=true]',
      'gradients/h_grad/MatMul',
      '',
      '',
    ],
    [
      'in a scope',
      'a/gradients_1/a/h_grad/MatMul = MatMul(x, h)[transpose_a=true]\na/gradients_1/AddN = Relu(h)\nb/gradients_1/other = Relu(h)',
      'a/gradients_1/AddN a/gradients_1/a/h_grad/MatMul',
      '',
      '',
    ],
    ['of a tape', 'gradient_tape/h/MatMul = MatMul(x, h)[transpose_a=true]', 'gradient_tape/h/MatMul', '', ''],
    [
      'by an op of their own',
      'gradients/z/ReluGrad = ReluGrad(h, h)\ngradients/k = Relu(h)',
      'gradients/k gradients/z/ReluGrad',
      '',
      '',
    ],
    ['as the name of a layer', 'gradients/y = Relu(h)', '', '', ''],
    ['as a part of a name', 'my_gradients/h_grad/y = Relu(h)', '', '', ''],
  ])('%s', (_, text, gradients, trained, given) => {
    const net = netOf(text);
    expect([names(net.gradients), names(net.trained), names(net.givenGradient)]).toEqual([gradients, trained, given]);
  });
});

describe('a net depends on data and weights', () => {
  it.each([
    ['from its first layer on', 'p = Relu(h)\nq = Relu(x)', 'h p'],
    ['also where a generator takes random numbers', 'r = RandomStandardNormal([4, 8])\np = MatMul(r, w)', 'h p'],
    ['not where a variable is initialised', 'r = TruncatedNormal([8, 3])\ninit = Assign(w, r * 0.1)', 'h'],
    ['not where only sizes are read', 'n = Shape(h)\ns = Cast(n)[SrcT=int32, DstT=float]', 'h'],
    ['not in what is written', 's = HistogramSummary("h", h)', 'h'],
    ['with rows of weights', 'i = Placeholder[int32, shape=[?]]\ne = GatherV2(w, i, 0)', 'e h'],
    [
      'not with integers as weights',
      'i = VariableV2[dtype=int32, shape=[8]]\nc = Cast(x)[SrcT=float, DstT=int32]\np = c * i',
      'h',
    ],
  ])('%s', (_, text, net) => expect(names(netOf(text).net)).toBe(net));
});
