import { attrBool, attrInt, attrType } from '../../graph/attrs.js';
import type { ChunkRing } from '../../graph/chunk_ring.js';
import { type DataType, unitRoundoff } from '../../graph/dtype.js';
import type { Node, TensorRef } from '../../graph/node.js';
import { elementCount, numberTensor, readNumbers, type Tensor } from '../../graph/tensor.js';
import { concatenation } from '../../ops/concatenation.js';
import { anyOf, sameAs } from '../../ops/meaning.js';
import { isFloat } from '../values/vectors.js';
import { joined, numberedTensor, type Run, type Selection, selected } from './numbered_tensor.js';
import { numbersOf } from './scaled_tensor.js';
import type { FoldView } from './view.js';

/** Whether a shape repeats the last value of a kernel so often that a small file would become a huge one. */
export function isTooRepeated(tensor: Tensor): boolean {
  return elementCount(tensor.shape) > MAX_REPEATED && tensor.stored !== undefined;
}

/** What an expression of constants is, without being computed. */
export interface KernelValue {
  readonly tensor: Tensor;
  /** The nodes that compute it, and the constants. */
  readonly nodes: readonly Node[];
}

/** A value whose numbers may still have to be rounded. */
interface Unrounded {
  readonly dtype: DataType;
  readonly shape: readonly number[];
  readonly runs: (ring?: ChunkRing) => Iterable<Run>;
  /** Whether the dtype can represent the numbers as they are. */
  readonly isExact: boolean;
  readonly nodes: readonly Node[];
}

const keepsOrder = anyOf('identity', 'reshape');
const isCast = anyOf('cast');
const isTranspose = anyOf('transpose');
const isSlice = sameAs('Slice');
const isStridedSlice = sameAs('StridedSlice');
const isConcat = anyOf('concat');

/** Longer chains of ops do not compute kernels, and a partitioned variable has a few parts. */
const MAX_DEPTH = 16;
const MAX_NODES = 1024;
/** A kernel may have this many elements where its shape repeats a value that the file has once: folding writes all of them. */
const MAX_REPEATED = 2 ** 16;
/** Kernels are moved in memory. */
const MAX_ELEMENTS = 2 ** 26;

/**
 * The value of a node that converts, moves, selects or joins the elements of constants: a kernel in float16 whose variable is
 * float32, a transposed one, a part of a larger one. Its numbers are read when its bytes are, and rounded once.
 */
export function kernelValue(view: FoldView, node: Node): KernelValue | undefined {
  const value = search({ view, left: MAX_NODES }, { node: node.name, port: 0 }, MAX_DEPTH);
  if (!value) return undefined;
  const { dtype, shape, runs, nodes } = value;
  const origin = nodes.find(({ tensor }) => tensor)?.tensor?.origin;
  return { tensor: numberedTensor(dtype, shape, runs, origin), nodes };
}

/** A search through an expression, which ends after so many nodes. */
interface Search {
  readonly view: FoldView;
  left: number;
}

function search(state: Search, ref: TensorRef, depth: number): Unrounded | undefined {
  const { view } = state;
  const node = view.graph.find(ref.node);
  state.left -= 1;
  if (state.left < 0) return undefined;
  // Control inputs say where a node runs: in a branch or a loop.
  if (!node || ref.port !== 0 || depth === 0 || node.controls.length > 0 || view.isKept(node.name)) return undefined;
  if (node.op === 'Const') return constant(node);
  const of = (index: number) => node.inputs[index] && search(state, node.inputs[index], depth - 1);
  const value = isConcat(node) ? concatenated(state, node, depth) : moved(view, node, of);
  if (!value || elementCount(value.shape) > MAX_ELEMENTS || value.shape.some((size) => size < 1)) return undefined;
  return { ...value, nodes: [...value.nodes, node] };
}

function constant(node: Node): Unrounded | undefined {
  const { tensor } = node;
  if (!tensor || !isFloat(tensor.dtype) || isTooRepeated(tensor)) return undefined;
  const runs = () => numbersOf(tensor);
  return { dtype: tensor.dtype, shape: tensor.shape, runs, isExact: true, nodes: [node] };
}

function moved(view: FoldView, node: Node, of: (index: number) => Unrounded | undefined): Unrounded | undefined {
  if (keepsOrder(node)) {
    const [value, shape] = [of(0), view.shapeOf({ node: node.name, port: 0 })];
    return value && shape && elementCount(shape) === elementCount(value.shape) ? { ...value, shape } : undefined;
  }
  if (isCast(node)) return cast(node, of(0));
  const select = isTranspose(node) ? transposed : isSlice(node) ? sliced : isStridedSlice(node) ? strided : undefined;
  const value = select && of(0);
  const selection = value && select!(view, node, value.shape);
  if (!selection) return undefined;
  const count = elementCount(value.shape);
  return { ...value, shape: selection.shape, runs: (ring) => selected(value.runs(ring), count, selection) };
}

function cast(node: Node, value: Unrounded | undefined): Unrounded | undefined {
  const dtype = attrType(node, 'DstT');
  if (!value || !isFloat(dtype) || attrBool(node, 'Truncate')) return undefined;
  const from = value.isExact ? value : rounded(value);
  return { ...from, dtype, isExact: unitRoundoff(dtype) < unitRoundoff(from.dtype) || dtype === from.dtype };
}

/** The value after rounding to its dtype. */
function rounded(value: Unrounded): Unrounded {
  const { dtype, runs } = value;
  function* each(ring?: ChunkRing): Generator<Run> {
    for (const { numbers, start } of runs(ring)) {
      yield { numbers: readNumbers(numberTensor(dtype, [numbers.length], numbers)), start };
    }
  }
  return { ...value, runs: each, isExact: true };
}

function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
}

function transposed(view: FoldView, node: Node, shape: readonly number[]): Selection | undefined {
  const order = view.ints(node.inputs[1]);
  if (order?.length !== shape.length || new Set(order).size !== shape.length) return undefined;
  const axes = order.map((axis) => (axis < 0 ? axis + shape.length : axis));
  if (axes.some((axis) => shape[axis] === undefined)) return undefined;
  const strides = stridesOf(shape);
  return { offset: 0, shape: axes.map((axis) => shape[axis]!), strides: axes.map((axis) => strides[axis]!) };
}

function sliced(view: FoldView, node: Node, shape: readonly number[]): Selection | undefined {
  const [begin, size] = [view.ints(node.inputs[1]), view.ints(node.inputs[2])];
  if (begin?.length !== shape.length || size?.length !== shape.length) return undefined;
  const to = shape.map((all, axis) => (size[axis] === -1 ? all - begin[axis]! : size[axis]!));
  if (shape.some((all, axis) => begin[axis]! < 0 || to[axis]! < 1 || begin[axis]! + to[axis]! > all)) return undefined;
  const strides = stridesOf(shape);
  return { offset: begin.reduce((sum, at, axis) => sum + at * strides[axis]!, 0), shape: to, strides };
}

/** ValidateStridedSliceOp in strided_slice_op.cc, without new axes. */
function strided(view: FoldView, node: Node, shape: readonly number[]): Selection | undefined {
  const [begin, end, step] = [1, 2, 3].map((index) => view.ints(node.inputs[index]));
  const mask = (name: string, at: number) => (((attrInt(node, `${name}_mask`) ?? 0) >> at) & 1) === 1;
  const given = begin?.length ?? 0;
  if (!begin || end?.length !== given || step?.length !== given || (attrInt(node, 'new_axis_mask') ?? 0) !== 0) {
    return undefined;
  }
  const ellipsis = begin.findIndex((_, at) => mask('ellipsis', at));
  const skipped = shape.length - given + (ellipsis < 0 ? 0 : 1);
  if (skipped < 0) return undefined;
  // Dimensions of the ellipsis, or behind the last that is given, are whole.
  const first = ellipsis < 0 ? given : ellipsis;
  const entryOf = (axis: number) => (axis < first ? axis : axis < first + skipped ? -1 : axis - skipped + 1);
  const strides = stridesOf(shape);
  const sizes: number[] = [];
  const steps: number[] = [];
  let offset = 0;
  for (const [axis, all] of shape.entries()) {
    const at = entryOf(axis);
    const part =
      at < 0 ? { from: 0, size: all, by: 1 } : range(all, begin[at]!, end[at]!, step[at]!, (name) => mask(name, at));
    if (!part) return undefined;
    offset += part.from * strides[axis]!;
    if (at >= 0 && mask('shrink_axis', at)) continue;
    sizes.push(part.size);
    steps.push(part.by * strides[axis]!);
  }
  return { offset, shape: sizes, strides: steps };
}

/** The part of a dimension that a slice takes; undefined if it is empty. */
function range(
  all: number,
  begin: number,
  end: number,
  by: number,
  mask: (name: string) => boolean,
): { readonly from: number; readonly size: number; readonly by: number } | undefined {
  const fromEnd = (x: number) => (x < 0 ? x + all : x);
  if (mask('shrink_axis')) {
    const at = fromEnd(begin);
    return at >= 0 && at < all ? { from: at, size: 1, by: 1 } : undefined;
  }
  if (by === 0) return undefined;
  const [low, high] = by > 0 ? [0, all] : [-1, all - 1];
  const clamped = (x: number) => Math.min(Math.max(fromEnd(x), low), high);
  const from = mask('begin') ? (by > 0 ? low : high) : clamped(begin);
  const to = mask('end') ? (by > 0 ? high : low) : clamped(end);
  const size = Math.ceil((to - from) / by);
  return size < 1 ? undefined : { from, size, by };
}

function concatenated(state: Search, node: Node, depth: number): Unrounded | undefined {
  const { parts, axis: ref } = concatenation(node);
  const values = parts.map((part) => search(state, part, depth - 1));
  const [first] = values;
  const [at, ...others] = state.view.ints(ref) ?? [];
  if (!first || at === undefined || others.length > 0) return undefined;
  const axis = at < 0 ? at + first.shape.length : at;
  const all = values.flatMap((value) => value ?? []);
  const isAlike = (value: Unrounded) =>
    value.shape.length === first.shape.length &&
    value.shape.every((size, i) => i === axis || size === first.shape[i]) &&
    value.dtype === first.dtype;
  if (all.length < parts.length || first.shape[axis] === undefined || !all.every(isAlike)) return undefined;
  const size = all.reduce((sum, { shape }) => sum + shape[axis]!, 0);
  const runs = (ring?: ChunkRing) =>
    joined(
      all.map((value) => ({
        runs: value.runs(ring),
        count: elementCount(value.shape),
        inner: elementCount(value.shape.slice(axis)),
      })),
    );
  return {
    dtype: first.dtype,
    shape: first.shape.map((each, i) => (i === axis ? size : each)),
    runs,
    isExact: all.every(({ isExact }) => isExact),
    nodes: all.flatMap(({ nodes }) => nodes),
  };
}
