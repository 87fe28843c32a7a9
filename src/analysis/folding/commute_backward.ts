import { attrInt, attrInts } from '../../graph/attrs.js';
import { DataType } from '../../graph/dtype.js';
import type { Node, TensorRef } from '../../graph/node.js';
import { formatOf } from '../../passes/edits/bias.js';
import { constantInts, constantScalar } from '../values/constants.js';
import { type Refusal, refusal } from './refusal.js';
import { type FoldView, typeOf } from './view.js';

/** What is wanted of a tensor: that it becomes scale * itself (+ shift), per channel. One number stands for all. */
export interface Want {
  readonly site: string;
  /** The dimension of the channels, counted from the end. Of no meaning for a single number. */
  readonly axis: number;
  readonly scale: Float64Array;
  /** As long as `scale`. Undefined where the shift is added elsewhere. */
  readonly shift: Float64Array | undefined;
}

/** What is wanted of one input, so that the result is what is wanted of it. */
export type Part = Omit<Want, 'site'> & { readonly ref: TensorRef };

type Rule = (view: FoldView, node: Node, want: Want) => readonly Part[] | Refusal;

/** The want, of input 0, with changes. */
function ofInput(node: Node, want: Want, changes: Partial<Part> = {}): readonly Part[] {
  const { axis, scale, shift } = want;
  return [{ axis, scale, shift, ...changes, ref: node.inputs[0]! }];
}

const isVector = (want: Want) => want.scale.length > 1;

function lost(node: Node): Refusal {
  return refusal(`${node.name} (${node.op}) moves the channels in a way that is not known`);
}

const same: Rule = (_, node, want) => ofInput(node, want);

/** Ops of one layout, which keep the channels apart. */
const perChannel: Rule = (_, node, want) => {
  const axis = layoutAxis(node);
  const window = attrInts(node, 'ksize');
  const alone = !window || window.at(axis) === 1;
  return alone && (!isVector(want) || want.axis === axis) ? ofInput(node, want) : lost(node);
};

function layoutAxis(node: Node): number {
  const format = formatOf(node);
  return format.startsWith('NC') ? 1 - format.length : -1;
}

/** The largest one stays the largest unless the sign changes. */
const maximum: Rule = (view, node, want) =>
  want.scale.some((factor) => factor < 0)
    ? refusal(`a negative scale would turn the maximum of ${node.name} into a minimum`)
    : perChannel(view, node, want);

/** Reshape, Squeeze, ExpandDims: the channels are where as many elements lie behind them as before. */
const reshape: Rule = (view, node, want) => {
  if (!isVector(want)) return ofInput(node, want);
  const result = view.shapeOf({ node: node.name, port: 0 });
  const shape = node.inputs[0] && view.shapeOf(node.inputs[0]);
  const size = want.scale.length;
  if (!result || !shape || result.at(want.axis) !== size || result.length < -want.axis) return lost(node);
  const behind = product(result, want.axis);
  for (let axis = -1; axis >= -shape.length; axis--) {
    const rest = product(shape, axis);
    if (behind >= 0 && rest === behind && shape.at(axis) === size) return ofInput(node, want, { axis });
    if (rest < 0) break;
  }
  return lost(node);
};

/** Number of elements behind one index of a dimension (counted from the end); -1 where it is not known. */
function product(shape: readonly number[], axis: number): number {
  const behind = axis === -1 ? [] : shape.slice(axis + 1);
  return behind.some((size) => size < 0) ? -1 : behind.reduce((total, size) => total * size, 1);
}

const transpose: Rule = (view, node, want) => {
  const order = constantInts(view.graph, node.inputs[1]);
  if (!order) return lost(node);
  const from = order.at(want.axis);
  return from === undefined || -want.axis > order.length
    ? lost(node)
    : ofInput(node, want, { axis: from - order.length });
};

/** Blocks of positions become batches, or the other way round: each channel for itself. */
const blocks: Rule = (view, node, want) => {
  const sizes = constantInts(view.graph, node.inputs[1]);
  const margins = constantInts(view.graph, node.inputs[2]);
  const rank = view.rankOf(node.inputs[0]!) ?? view.rankOf({ node: node.name, port: 0 });
  if (!sizes || !margins || rank === undefined) return lost(node);
  const at = rank + want.axis;
  const isPlain = at > sizes.length || (sizes[at - 1] === 1 && margins[2 * at - 2] === 0 && margins[2 * at - 1] === 0);
  if (isVector(want) && (at < 1 || !isPlain)) return lost(node);
  const isPadded = node.op === 'SpaceToBatchND' && margins.some((margin) => margin !== 0);
  return ofInput(node, want, isPadded ? { shift: undefined } : {});
};

/** Zero times a factor is zero: the scale may come before the padding, the shift may not. */
const pad: Rule = (view, node, want) => {
  const margins = constantInts(view.graph, node.inputs[1]);
  const value = node.op === 'PadV2' ? constantScalar(view.graph, node.inputs[2]) : 0;
  if (node.op === 'MirrorPad') return paddedAlong(margins, want) ? lost(node) : ofInput(node, want);
  if (value !== 0) return refusal(`${node.name} pads with another number than zero`);
  if (paddedAlong(margins, want)) return refusal(`${node.name} pads the channels`);
  return ofInput(node, want, { shift: undefined });
};

function paddedAlong(margins: readonly number[] | undefined, want: Want): boolean {
  if (!isVector(want)) return false;
  const at = margins && margins.length / 2 + want.axis;
  return at === undefined || at < 0 || margins![2 * at] !== 0 || margins![2 * at + 1] !== 0;
}

const concat: Rule = (view, node, want) => {
  const first = node.op === 'Concat' ? 1 : 0;
  const parts = first === 1 ? node.inputs.slice(1) : node.inputs.slice(0, -1);
  const along = constantScalar(view.graph, first === 1 ? node.inputs[0] : node.inputs.at(-1));
  const rank = view.rankOf(parts[0]!) ?? view.rankOf({ node: node.name, port: 0 });
  if (along === undefined || rank === undefined) return lost(node);
  const { axis, scale, shift } = want;
  if (!isVector(want) || (along < 0 ? along : along - rank) !== axis) {
    return parts.map((ref) => ({ ref, axis, scale, shift }));
  }
  const result: Part[] = [];
  let from = 0;
  for (const ref of parts) {
    const size = view.shapeOf(ref)?.at(axis) ?? -1;
    if (size < 1) return refusal(`the number of channels of ${ref.node}, a part of ${node.name}, is not known`);
    result.push({ ref, axis, scale: scale.slice(from, from + size), shift: shift?.slice(from, from + size) });
    from += size;
  }
  return from === scale.length ? result : lost(node);
};

/** Weights of an interpolation sum to one. */
const resize: Rule = (_, node, want) =>
  typeOf(node) === DataType.DT_FLOAT && (!isVector(want) || want.axis === -1) ? ofInput(node, want) : lost(node);

/** Channel c of the result comes from the channels c, c + C, c + 2C, ... */
const depthToSpace: Rule = (_, node, want) => {
  const block = attrInt(node, 'block_size') ?? 0;
  if (!isVector(want)) return ofInput(node, want);
  if (formatOf(node) !== 'NHWC' || want.axis !== -1 || block < 1) return lost(node);
  const repeated = (values: Float64Array) =>
    Float64Array.from({ length: values.length * block * block }, (_, i) => values[i % values.length]!);
  return ofInput(node, want, { scale: repeated(want.scale), shift: want.shift && repeated(want.shift) });
};

/** Ops that a scale per channel commutes with. */
export const TRANSPARENT: Readonly<Record<string, Rule>> = {
  Identity: same,
  StopGradient: same,
  PreventGradient: same,
  Snapshot: same,
  Reshape: reshape,
  Squeeze: reshape,
  ExpandDims: reshape,
  Transpose: transpose,
  BatchToSpaceND: blocks,
  SpaceToBatchND: blocks,
  Pad: pad,
  PadV2: pad,
  MirrorPad: pad,
  Concat: concat,
  ConcatV2: concat,
  AvgPool: perChannel,
  AvgPool3D: perChannel,
  MaxPool: maximum,
  MaxPool3D: maximum,
  ResizeBilinear: resize,
  ResizeNearestNeighbor: resize,
  DepthToSpace: depthToSpace,
};
