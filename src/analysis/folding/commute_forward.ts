import { attrBool, attrInts } from '../../graph/attrs.js';
import type { Node } from '../../graph/node.js';
import { formatOf } from '../../passes/edits/bias.js';
import { constantInts } from '../values/constants.js';
import { type Refusal, refusal } from './refusal.js';
import type { FoldView } from './view.js';

/** A scale and a shift that a tensor is to have been given no more: what reads it has to make up for them. */
export interface Flow {
  readonly site: string;
  /** Dimension along which the channels lie, counted from the end. Of no meaning for a single number. */
  readonly axis: number;
  /** The element at a position of that dimension is of the channel `floor(position / stride) % channels`. */
  readonly stride: number;
  readonly scale: Float64Array;
  /** As long as `scale`; undefined where it is zero. */
  readonly shift: Float64Array | undefined;
}

/** What the flow is behind an op, as far as it changes. */
type Rule = (view: FoldView, node: Node, flow: Flow) => Partial<Flow> | Refusal;

const isVector = (flow: Flow) => flow.scale.length > 1;

function lost(node: Node): Refusal {
  return refusal(`${node.name} (${node.op}) moves the channels in a way that is not known`);
}

const same: Rule = () => ({});

const pool: Rule = (_, node, flow) => {
  const format = formatOf(node);
  const axis = format.startsWith('NC') ? 1 - format.length : -1;
  const isApart = attrInts(node, 'ksize')?.at(axis) === 1 && flow.stride === 1;
  return isApart && (!isVector(flow) || flow.axis === axis) ? {} : lost(node);
};

const maximum: Rule = (view, node, flow) =>
  flow.scale.some((factor) => factor < 0)
    ? refusal(`a negative scale would turn the maximum of ${node.name} into a minimum`)
    : pool(view, node, flow);

const mean: Rule = (view, node, flow) => {
  const axes = constantInts(view.graph, node.inputs[1]);
  const rank = view.rankOf(node.inputs[0]!);
  if (!isVector(flow)) return {};
  if (!axes || rank === undefined || flow.stride !== 1) return lost(node);
  const reduced = new Set(axes.map((axis) => (axis < 0 ? axis : axis - rank)));
  if (reduced.has(flow.axis)) return refusal(`${node.name} averages over the channels`);
  if (attrBool(node, 'keep_dims')) return {};
  return { axis: flow.axis + [...reduced].filter((axis) => axis > flow.axis).length };
};

const transpose: Rule = (view, node, flow) => {
  if (!isVector(flow)) return {};
  const order = constantInts(view.graph, node.inputs[1]);
  const at = order?.indexOf(order.length + flow.axis) ?? -1;
  return at < 0 ? lost(node) : { axis: at - order!.length };
};

/** Reshape, Squeeze, ExpandDims: the channels stay apart, or are laid out in one dimension with what lies behind them. */
const reshape: Rule = (view, node, flow) => {
  if (!isVector(flow)) return {};
  const [before, after] = [view.shapeOf(node.inputs[0]!), view.shapeOf({ node: node.name, port: 0 })];
  const size = before?.at(flow.axis) ?? -1;
  if (!before || !after || size < 1 || -flow.axis > before.length) return lost(node);
  const behind = countBehind(before, flow.axis);
  if (behind < 1) return lost(node);
  for (let axis = -1; axis >= -after.length; axis--) {
    const rest = countBehind(after, axis);
    if (rest === behind && after.at(axis) === size) return { axis };
    if (rest < 0) break;
  }
  const length = after.at(-1) ?? -1;
  const isFlat = flow.stride === 1 && size === flow.scale.length && length % (size * behind) === 0;
  for (let axis = flow.axis; isFlat && axis >= -before.length; axis--) {
    const total = countBehind(before, axis) * before.at(axis)!;
    if (total === length) return { axis: -1, stride: behind };
  }
  return lost(node);
};

/** Number of elements behind one index of a dimension (counted from the end); -1 where it is not known. */
function countBehind(shape: readonly number[], axis: number): number {
  const behind = axis === -1 ? [] : shape.slice(axis + 1);
  return behind.some((size) => size < 0) ? -1 : behind.reduce((total, size) => total * size, 1);
}

/** Zeros that are put around the data would see a shift. */
const pad: Rule = (view, node, flow) => {
  if (flow.shift) return refusal(`the zeros of ${node.name} (${node.op}) would see the shift`);
  const margins = constantInts(view.graph, node.inputs[1]);
  const at = margins && margins.length / 2 + flow.axis;
  const isAlong = at === undefined || at < 0 || margins![2 * at] !== 0 || margins![2 * at + 1] !== 0;
  return isVector(flow) && isAlong ? lost(node) : {};
};

const spaceToBatch: Rule = (view, node, flow) => {
  const sizes = constantInts(view.graph, node.inputs[1]);
  const margins = constantInts(view.graph, node.inputs[2]);
  const rank = view.rankOf(node.inputs[0]!);
  if (!sizes || !margins || rank === undefined) return lost(node);
  if (flow.shift && margins.some((margin) => margin !== 0)) {
    return refusal(`the zeros of ${node.name} (${node.op}) would see the shift`);
  }
  return isVector(flow) && rank + flow.axis <= sizes.length ? lost(node) : {};
};

/** Ops that hand a scale and a shift per channel on to their result. */
export const PASSING: Readonly<Record<string, Rule>> = {
  Identity: same,
  StopGradient: same,
  Mean: mean,
  AvgPool: pool,
  AvgPool3D: pool,
  MaxPool: maximum,
  MaxPool3D: maximum,
  Reshape: reshape,
  Squeeze: reshape,
  ExpandDims: reshape,
  Transpose: transpose,
  Pad: pad,
  SpaceToBatchND: spaceToBatch,
};
