import { attrBool, attrInt, attrInts, attrShape, attrString } from '../../graph/attrs.js';
import type { Graph } from '../../graph/graph.js';
import { memoizeByVersion } from '../../graph/memo.js';
import type { Node, TensorRef } from '../../graph/node.js';
import { refText } from '../../graph/node.js';
import { topologicalOrder } from '../../graph/walk.js';
import { constantInts, constantScalar, constantValue } from './constants.js';

/** Sizes of a tensor, -1 where a size is not known; undefined where the rank is not. */
export type Shape = readonly number[] | undefined;

type Rule = (node: Node, input: (index: number) => Shape, graph: Graph) => Shape | readonly Shape[];

const UNKNOWN = -1;

/**
 * Static shapes of a graph, inferred from the ops themselves. The `_output_shapes` that files carry are not trusted:
 * published graphs have ones that contradict the graph. Worked out once between two changes of the graph.
 */
export class Shapes {
  readonly #graph: Graph;
  #known: ReadonlyMap<string, Shape> | undefined;

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  /** Sizes of a tensor, -1 for an unknown size; undefined for an unknown rank. As the graph was at the first call. */
  of(ref: TensorRef): Shape {
    this.#known ??= inferredShapes(this.#graph);
    return this.#known.get(refText(ref));
  }
}

const inferredShapes = memoizeByVersion(
  (graph: Graph) => inferShapes(graph),
  (graph) => graph,
);

function inferShapes(graph: Graph): ReadonlyMap<string, Shape> {
  const known = new Map<string, Shape>();
  for (const node of topologicalOrder(graph)) {
    const input = (index: number) => node.inputs[index] && known.get(refText(node.inputs[index]));
    const result = RULES.get(node.op)?.(node, input, graph);
    if (result === undefined) continue;
    if (isPorts(result)) {
      for (const [port, shape] of result.entries()) known.set(refText({ node: node.name, port }), shape);
    } else {
      known.set(node.name, result);
    }
  }
  return known;
}

function isPorts(result: readonly number[] | readonly Shape[]): result is readonly Shape[] {
  return result.length > 0 && typeof result[0] !== 'number';
}

/** The shape of two tensors that are broadcast against each other. */
export function broadcastShape(a: Shape, b: Shape): Shape {
  if (!a || !b) return undefined;
  const rank = Math.max(a.length, b.length);
  const shape: number[] = [];
  for (let i = 0; i < rank; i++) {
    const x = a[i - (rank - a.length)] ?? 1;
    const y = b[i - (rank - b.length)] ?? 1;
    if (x === 1) shape.push(y);
    else shape.push(y === 1 || x !== UNKNOWN ? x : y);
  }
  return shape;
}

/** Index of the channel dimension for a data_format and rank: NHWC, NDHWC and NWC have it last. */
export function channelAxis(node: Node, rank: number): number {
  return (attrString(node, 'data_format') ?? 'NHWC').startsWith('NC') ? 1 : rank - 1;
}

const same: Rule = (_, input) => input(0);
const broadcast: Rule = (_, input) => broadcastShape(input(0), input(1));

function placeholder(node: Node, graph: Graph): Shape {
  const shape = attrShape(node, 'shape');
  // Before GraphDef version 24 an empty shape meant that the shape is not known.
  return shape?.length === 0 && (graph.header.versions?.producer ?? 0) < 24 ? undefined : shape;
}

/** Output size of a window that moves over `size` elements. */
function windowed(size: number, window: number, stride: number, padding: string, pads: number): number {
  if (size < 0 || window < 0) return UNKNOWN;
  if (padding === 'SAME') return Math.ceil(size / stride);
  return Math.ceil((size + pads - window + 1) / stride);
}

/** Shape of a convolution's or a pool's output: `window` per spatial dimension, `channels` of the output. */
function slide(node: Node, x: Shape, window: readonly number[], channels: number): Shape {
  if (!x) return undefined;
  const channel = channelAxis(node, x.length);
  const strides = attrInts(node, 'strides') ?? [];
  const dilations = attrInts(node, 'dilations') ?? [];
  const pads = attrInts(node, 'explicit_paddings') ?? [];
  const padding = attrString(node, 'padding') ?? 'VALID';
  let spatial = 0;
  return x.map((size, axis) => {
    if (axis === 0) return size;
    if (axis === channel) return channels;
    const extent = (window[spatial++]! - 1) * (dilations[axis] ?? 1) + 1;
    return windowed(size, extent, strides[axis] ?? 1, padding, (pads[2 * axis] ?? 0) + (pads[2 * axis + 1] ?? 0));
  });
}

const convolution: Rule = (node, input) => {
  const kernel = input(1);
  if (!kernel) return input(0)?.map(() => UNKNOWN);
  const depthwise = node.op.startsWith('Depthwise');
  const [a, b] = [kernel.at(-2)!, kernel.at(-1)!];
  const channels = depthwise ? (a < 0 || b < 0 ? UNKNOWN : a * b) : b;
  return slide(node, input(0), kernel.slice(0, -2), channels);
};

const pool: Rule = (node, input) => {
  const x = input(0);
  const window = attrInts(node, 'ksize');
  if (!x || !window) return undefined;
  const channel = channelAxis(node, x.length);
  return slide(
    node,
    x,
    window.filter((_, axis) => axis !== 0 && axis !== channel),
    x[channel]!,
  );
};

const reduction: Rule = (node, input, graph) => {
  const x = input(0);
  const axes = constantInts(graph, node.inputs[1]);
  if (!x || !axes) return undefined;
  const reduced = new Set(axes.map((axis) => (axis < 0 ? axis + x.length : axis)));
  if (attrBool(node, 'keep_dims')) return x.map((size, axis) => (reduced.has(axis) ? 1 : size));
  return x.filter((_, axis) => !reduced.has(axis));
};

const matMul: Rule = (node, input) => {
  const [a, b] = [input(0), input(1)];
  if (a?.length !== 2 || b?.length !== 2) return undefined;
  return [attrBool(node, 'transpose_a') ? a[1]! : a[0]!, attrBool(node, 'transpose_b') ? b[0]! : b[1]!];
};

const batchMatMul: Rule = (node, input) => {
  const [a, b] = [input(0), input(1)];
  if (!a || !b || a.length < 2 || b.length < 2) return undefined;
  const batch = broadcastShape(a.slice(0, -2), b.slice(0, -2));
  return batch && [...batch, a.at(attrBool(node, 'adj_x') ? -1 : -2)!, b.at(attrBool(node, 'adj_y') ? -2 : -1)!];
};

const reshape: Rule = (node, input, graph) => {
  const target = node.inputs[1] && constantValue(graph, node.inputs[1]);
  if (!target) {
    const rank = input(1);
    if (rank?.length === 1 && rank[0]! >= 0) return new Array<number>(rank[0]!).fill(UNKNOWN);
    return undefined;
  }
  const sizes = target.values.map((size) => (Number.isNaN(size) ? UNKNOWN : size));
  const free = sizes.filter((size) => size < 0);
  const x = input(0);
  if (free.length !== 1 || !x || x.some((size) => size < 0)) return sizes;
  const rest = sizes.reduce((product, size) => (size < 0 ? product : product * size), 1);
  const total = x.reduce((product, size) => product * size, 1);
  return sizes.map((size) => (size < 0 ? total / rest : size));
};

const squeeze: Rule = (node, input) => {
  const x = input(0);
  const axes = attrInts(node, 'squeeze_dims') ?? [];
  if (!x) return undefined;
  if (axes.length === 0) return x.includes(UNKNOWN) ? undefined : x.filter((size) => size !== 1);
  const gone = new Set(axes.map((axis) => (axis < 0 ? axis + x.length : axis)));
  return x.filter((_, axis) => !gone.has(axis));
};

const expandDims: Rule = (node, input, graph) => {
  const x = input(0);
  const axis = constantScalar(graph, node.inputs[1]);
  if (!x || axis === undefined) return undefined;
  const at = axis < 0 ? axis + x.length + 1 : axis;
  return [...x.slice(0, at), 1, ...x.slice(at)];
};

const transpose: Rule = (node, input, graph) => {
  const x = input(0);
  const perm = constantInts(graph, node.inputs[1]);
  return x && perm ? perm.map((axis) => x[axis] ?? UNKNOWN) : x?.map(() => UNKNOWN);
};

const pad: Rule = (node, input, graph) => {
  const x = input(0);
  const pads = constantInts(graph, node.inputs[1]);
  return x?.map((size, axis) => (size < 0 || !pads ? UNKNOWN : size + pads[2 * axis]! + pads[2 * axis + 1]!));
};

function concatenated(parts: readonly Shape[], axis: number | undefined): Shape {
  const first = parts[0];
  if (!first || axis === undefined) return first?.map(() => UNKNOWN);
  const at = axis < 0 ? axis + first.length : axis;
  return first.map((size, i) => {
    if (i !== at) return size;
    return parts.reduce((sum, part) => (sum < 0 || (part?.[at] ?? UNKNOWN) < 0 ? UNKNOWN : sum + part![at]!), 0);
  });
}

const concat: Rule = (node, input, graph) => {
  const parts = node.inputs.slice(0, -1).map((_, i) => input(i));
  return concatenated(parts, constantScalar(graph, node.inputs.at(-1)));
};

const resize: Rule = (node, input, graph) => {
  const x = input(0);
  const size = node.inputs[1] && constantValue(graph, node.inputs[1])?.values;
  const known = (i: number) => (size === undefined || Number.isNaN(size[i]) ? UNKNOWN : size[i]!);
  return x?.length === 4 ? [x[0]!, known(0), known(1), x[3]!] : undefined;
};

const given: (index: number) => Rule = (index) => (node, input, graph) => {
  const value = node.inputs[index] && constantValue(graph, node.inputs[index]);
  if (value) return value.values.map((size) => (Number.isNaN(size) ? UNKNOWN : size));
  const rank = input(index);
  return rank?.length === 1 && rank[0]! >= 0 ? new Array<number>(rank[0]!).fill(UNKNOWN) : undefined;
};

const batchNorm: Rule = (_, input) => [input(0), input(1), input(1), input(1), input(1), undefined];

const merge: Rule = (node, input) => {
  const [a, b] = [input(0), input(1)];
  if (node.inputs.length !== 2 || !a || !b) return [a ?? b, []];
  return [a.length === b.length ? a.map((size, i) => (size === b[i] ? size : UNKNOWN)) : undefined, []];
};

const conv2dTranspose: Rule = (node, input, graph) => {
  const sizes = given(0)(node, input, graph) as Shape;
  const [kernel, y] = [input(1), input(2)];
  const channels = kernel?.at(node.op.startsWith('Depthwise') ? -2 : -2) ?? UNKNOWN;
  const rank = sizes?.length ?? y?.length;
  if (rank === undefined) return undefined;
  const axis = channelAxis(node, rank);
  return Array.from({ length: rank }, (_, i) => {
    const size = sizes?.[i] ?? UNKNOWN;
    if (size >= 0) return size;
    return i === axis ? channels : i === 0 ? (y?.[0] ?? UNKNOWN) : UNKNOWN;
  });
};

const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...each(
    'Identity StopGradient PreventGradient CheckNumerics Snapshot RefIdentity Cast Relu Relu6 LeakyRelu Elu Selu Softplus ' +
      'Softsign Sigmoid Tanh Exp Log Log1p Sqrt Rsqrt Square Neg Abs Sign Floor Ceil Round Rint Inv Reciprocal Erf Softmax ' +
      'LogSoftmax BiasAdd LRN ZerosLike OnesLike LogicalNot Enter RefEnter Exit NextIteration LoopCond ' +
      'FakeQuantWithMinMaxVars FakeQuantWithMinMaxArgs FakeQuantWithMinMaxVarsPerChannel Reverse ReverseV2 ClipByValue',
    same,
  ),
  ...each(
    'Add AddV2 Sub Mul Div RealDiv FloorDiv Maximum Minimum Pow SquaredDifference Greater GreaterEqual Less LessEqual ' +
      'Equal NotEqual LogicalAnd LogicalOr FloorMod Mod',
    broadcast,
  ),
  ...each('Mean Sum Max Min Prod All Any', reduction),
  ...each('Conv2D Conv3D DepthwiseConv2dNative', convolution),
  ...each('MaxPool AvgPool MaxPool3D AvgPool3D', pool),
  ...each('FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3', batchNorm),
  ...each('Conv2DBackpropInput Conv3DBackpropInputV2', conv2dTranspose),
  ...each('BatchMatMul BatchMatMulV2', batchMatMul),
  ...each('Pad PadV2 MirrorPad', pad),
  ...each('ResizeBilinear ResizeNearestNeighbor ResizeBicubic ResizeArea', resize),
  ['Placeholder', (node, _, graph) => placeholder(node, graph)],
  ['PlaceholderWithDefault', (node) => attrShape(node, 'shape')],
  ['Const', (node) => node.tensor?.shape],
  ['VariableV2', (node) => attrShape(node, 'shape')],
  ['Variable', (node) => attrShape(node, 'shape')],
  [
    'ReadVariableOp',
    (node, _, graph) => {
      const handle = graph.inputNode(node, 0);
      return handle && attrShape(handle, 'shape');
    },
  ],
  ['AddN', same],
  ['MatMul', matMul],
  ['Reshape', reshape],
  ['Squeeze', squeeze],
  ['ExpandDims', expandDims],
  ['Transpose', transpose],
  ['ConcatV2', concat],
  ['Fill', given(0)],
  ['RandomUniform', given(0)],
  ['RandomStandardNormal', given(0)],
  ['TruncatedNormal', given(0)],
  ['BroadcastTo', given(1)],
  ['Shape', (_, input) => [input(0)?.length ?? UNKNOWN]],
  ['Size', () => []],
  ['Rank', () => []],
  [
    'Pack',
    (node, input) => {
      const first = input(0);
      const axis = attrInt(node, 'axis') ?? 0;
      if (!first) return undefined;
      const at = axis < 0 ? axis + first.length + 1 : axis;
      return [...first.slice(0, at), node.inputs.length, ...first.slice(at)];
    },
  ],
  [
    'ArgMax',
    (node, input, graph) => {
      const axis = constantScalar(graph, node.inputs[1]);
      const x = input(0);
      return axis === undefined ? undefined : x?.filter((_, i) => i !== (axis < 0 ? axis + x.length : axis));
    },
  ],
  ['Select', (_, input) => input(1) ?? input(2)],
  ['SelectV2', (_, input) => broadcastShape(input(0), broadcastShape(input(1), input(2)))],
  ['Switch', (_, input) => [input(0), input(0)]],
  ['RefSwitch', (_, input) => [input(0), input(0)]],
  ['Merge', merge],
  ['RefMerge', merge],
]);

function each(ops: string, rule: Rule): [string, Rule][] {
  return ops.split(' ').map((op) => [op, rule]);
}
