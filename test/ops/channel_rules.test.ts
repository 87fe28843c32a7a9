import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FoldView } from '../../src/analysis/folding/view.js';
import type { Graph } from '../../src/graph/graph.js';
import { elementCount } from '../../src/graph/tensor.js';
import { parseGraph } from '../../src/notation/parse.js';
import { type ChannelScale, isChannelProblem, type PendingScale } from '../../src/ops/channel_rules/rule.js';
import { channelRuleOf } from '../../src/ops/meaning.js';
import { runGraph } from '../../src/run/run.js';
import { constant, node, T_FLOAT } from '../support/build.js';
import { difference } from '../support/compare.js';
import { randomRuns } from '../support/random.js';
import { counted, counting, floats } from '../support/run.js';

const SHAPE = [4, 2, 6, 8];

/** A line of graph text that computes y from x, and maybe from x2; `n` is any number. */
type Make = (n: number) => string;

const MARGINS = [
  '[[0, 0], [1, 0], [0, 2], [0, 0]]',
  '[[0, 0], [0, 0], [1, 1], [1, 2]]',
  '[[0, 0], [1, 1], [0, 0], [0, 0]]',
  '[[1, 0], [0, 0], [0, 0], [0, 0]]',
];
const of =
  <T>(...list: readonly T[]) =>
  (n: number): T =>
    list[n % list.length]!;
const padding = of('VALID', 'SAME');
const permutation = of('[0, 3, 1, 2]', '[0, 2, 3, 1]', '[3, 2, 1, 0]', '[0, 1, 2, 3]');

/** The ops by what is said of them: which have no rule one way. */
const OPS: Readonly<Record<string, Make>> = {
  Identity: () => 'Identity(x)',
  PreventGradient: () => 'PreventGradient(x)',
  AvgPool: (n) => `AvgPool(x)[ksize=[1, 2, 2, 1], strides=[1, 1, ${1 + (n % 3)}, 1], padding=${padding(n)}]`,
  MaxPool: (n) => `MaxPool(x)[ksize=[1, 2, 3, 1], strides=[1, 1, ${1 + (n % 3)}, 1], padding=${padding(n)}]`,
  Mean: (n) => `Mean(x, ${of('[1, 2]', '[-2]', '[3]', '[0, 2]', '[-1, 1]')(n)})[keep_dims=${n % 2 === 0}]`,
  Reshape: (n) =>
    `Reshape(x, ${of('[4, 96]', '[8, 6, 8]', '[4, 12, 8]', '[4, 1, 2, 6, 8, 1]', '[-1, 8]', '[4, 2, 48]', '[4, 2, 2, 3, 8]')(n)})`,
  ExpandDims: (n) => `ExpandDims(x, ${(n % 5) - 2})`,
  Transpose: (n) => `Transpose(x, ${permutation(n)})`,
  Pad: (n) => `Pad(x, ${of(...MARGINS)(n)})`,
  PadV2: (n) => `PadV2(x, ${of(...MARGINS)(n)}, ${n % 5 === 0 ? '1.0' : '0.0'})`,
  MirrorPad: (n) => `MirrorPad(x, ${of(...MARGINS)(n)})[mode=SYMMETRIC]`,
  SpaceToBatchND: (n) => `SpaceToBatchND(x, [2, 2], ${of('[[0, 0], [0, 0]]', '[[1, 1], [2, 0]]')(n)})`,
  BatchToSpaceND: (n) => `BatchToSpaceND(x, [2, 2], ${of('[[0, 0], [0, 0]]', '[[1, 0], [0, 2]]')(n)})`,
  Concat: (n) => `Concat(${n % 4}, x, x2)[T=float32]`,
  ConcatV2: (n) => `ConcatV2(x, x2, ${(n % 4) - 4})`,
  ResizeBilinear: (n) => `ResizeBilinear(x, [5, 4])[align_corners=${n % 2 === 0}, T=float32]`,
  ResizeNearestNeighbor: () => 'ResizeNearestNeighbor(x, [3, 9])',
  DepthToSpace: () => 'DepthToSpace(x)[block_size=2]',
  SpaceToDepth: () => 'SpaceToDepth(x)[block_size=2]',
};

const ONE_WAY: Readonly<Record<'backward' | 'forward', readonly string[]>> = {
  backward: [],
  forward: ['Concat', 'ConcatV2'],
};

function graphOf(name: string, n: number): Graph {
  const placeholders = ['x', 'x2'].map((each) => `${each} = Placeholder[shape=[${SHAPE.join(', ')}]]`);
  return parseGraph([...placeholders, `y = ${OPS[name]!(n)}`].join('\n'));
}

/** A number for each element of a tensor: that of its channel. */
function spread(shape: readonly number[], axis: number, values: Float64Array, stride = 1): number[] {
  const behind = axis === -1 ? 1 : elementCount(shape.slice(axis + 1));
  return Array.from({ length: elementCount(shape) }, (_, flat) => {
    const position = Math.floor(flat / behind) % shape.at(axis)!;
    return values.length === 1 ? values[0]! : values[Math.floor(position / stride) % values.length]!;
  });
}

/** Adds nodes that scale and shift a tensor. @returns the name of the last */
function addScaled(graph: Graph, name: string, shape: readonly number[], of: ChannelScale, stride = 1): string {
  const product = graph.freeName(`${name}/product`);
  const numbers = (values: Float64Array) => spread(shape, of.axis, values, stride);
  graph.add(constant(`${product}/scale`, numbers(of.scale), shape));
  graph.add(node(product, 'Mul', [name, `${product}/scale`], T_FLOAT));
  if (!of.shift) return product;
  graph.add(constant(`${product}/shift`, numbers(of.shift), shape));
  graph.add(node(`${product}/sum`, 'AddV2', [product, `${product}/shift`], T_FLOAT));
  return `${product}/sum`;
}

/** Adds the op of `y` once more, reading other tensors. @returns its name */
function addAgain(graph: Graph, replaced: ReadonlyMap<string, string>): string {
  const { op, inputs, attr } = graph.get('y');
  const other = inputs.map((ref) => ({ ...ref, node: replaced.get(ref.node) ?? ref.node }));
  return graph.add({ name: 'again', op, inputs: other, attr }).name;
}

const SCALES = [2, -1, 0.5, 3, 0, 1.5, -0.25];

interface Draw {
  readonly n: number;
  readonly axis: number;
  readonly first: number;
  readonly isScalar: boolean;
  readonly isPositive: boolean;
  readonly isShifted: boolean;
}

function drawn(shape: readonly number[], { axis, first, isScalar, isPositive, isShifted }: Draw): ChannelScale {
  const at = -1 - (axis % shape.length);
  const size = isScalar ? 1 : shape.at(at)!;
  const scale = Float64Array.from({ length: size }, (_, i) => SCALES[(first + i) % SCALES.length]!);
  const shift = Float64Array.from({ length: size }, (_, i) => 1 + ((first * i) % 5));
  return { axis: at, scale: isPositive ? scale.map(Math.abs) : scale, shift: isShifted ? shift : undefined };
}

/** The largest difference between two tensors; undefined where the op does not commute. */
type Compare = (graph: Graph, draw: Draw) => Promise<number | undefined>;

const viewOf = (graph: Graph) => new FoldView({ graph, outputs: [], isKept: () => false });

async function compared(graph: Graph, a: string, b: string): Promise<number> {
  const x = counted(SHAPE);
  const x2 = floats(SHAPE, counting(SHAPE).reverse());
  const { [a]: left, [b]: right } = await runGraph(graph, { x, x2 }, [a, b]);
  return difference(left!, right!);
}

/** op(what the rule requires of its inputs) against what is required of op(inputs). */
const backward: Compare = async (graph, draw) => {
  const view = viewOf(graph);
  const y = graph.get('y');
  const shape = view.shapeOf({ node: 'y', port: 0 })!;
  const required = drawn(shape, draw);
  const parts = channelRuleOf(y.op)!.backward!(view, y, required);
  if (isChannelProblem(parts)) return undefined;
  const replaced = new Map(parts.map((part) => [part.ref.node, addScaled(graph, part.ref.node, SHAPE, part)]));
  const isShifted = parts.every(({ shift }) => shift !== undefined);
  const expected = addScaled(graph, 'y', shape, { ...required, shift: isShifted ? required.shift : undefined });
  return compared(graph, addAgain(graph, replaced), expected);
};

/** op(scaled input) against op(input) with what the rule says is pending. */
const forward: Compare = async (graph, draw) => {
  const view = viewOf(graph);
  const y = graph.get('y');
  const pending: PendingScale = { ...drawn(SHAPE, draw), stride: 1 };
  const next = channelRuleOf(y.op)!.forward!(view, y, pending);
  if (isChannelProblem(next)) return undefined;
  const shape = view.shapeOf({ node: 'y', port: 0 })!;
  const scaled = addScaled(graph, 'x', SHAPE, pending);
  const expected = addScaled(graph, 'y', shape, next, next.stride);
  return compared(graph, addAgain(graph, new Map([['x', scaled]])), expected);
};

const draws = fc.record<Draw>({
  n: fc.nat(999),
  axis: fc.nat(3),
  first: fc.nat(99),
  isScalar: fc.boolean(),
  isPositive: fc.boolean(),
  isShifted: fc.boolean(),
});

/** For each op and direction, of which there are many, a tenth of what other properties get. */
const { seed, numRuns } = randomRuns(120);

describe.each(Object.keys(OPS))('%s', (name) => {
  it.each([
    ['backward', backward],
    ['forward', forward],
  ] as const)('commutes %s with what its rule says', async (direction, compare) => {
    const op = graphOf(name, 0).get('y').op;
    expect(channelRuleOf(op)![direction] === undefined).toBe(ONE_WAY[direction].includes(op));
    if (ONE_WAY[direction].includes(op)) return;
    let done = 0;
    await fc.assert(
      fc.asyncProperty(draws, async (draw) => {
        const off = await compare(graphOf(name, draw.n), draw);
        if (off === undefined) return;
        done++;
        expect(off).toBeLessThanOrEqual(1e-5);
      }),
      { seed, numRuns: Math.ceil(numRuns / 10) },
    );
    expect(done, 'the rule was put to the test').toBeGreaterThan(0);
  });
});
