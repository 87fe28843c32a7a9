import { type DataType, dtypeName } from '../../graph/dtype.js';
import type { Node, TensorRef } from '../../graph/node.js';
import { axisOf, type Vector } from '../values/vectors.js';
import { affineOp, isBias, isDifference, isSum } from './affine.js';
import type { AffineOp } from './affine_op.js';
import type { LinearOp } from './linear_ops.js';
import { whyNotRepresentable } from './range.js';
import type { FoldReason } from './reasons.js';
import type { AddBias, SetAddend, VectorOp } from './steps.js';
import { type FoldView, typeOf } from './view.js';

/**
 * The op that adds a bias along the dimension `axis` of `x`: BiasAdd if possible (other tools fuse it with the preceding
 * op), else Add.
 * @param bias - one number per channel
 */
export function biasOp(view: FoldView, x: TensorRef, axis: number, bias: Float64Array): VectorOp {
  const rank = view.rankOf(x) ?? 0;
  if (axis === -1 && rank >= 2) return { op: 'BiasAdd', by: { shape: [bias.length], values: bias }, format: 'NHWC' };
  // Versions of TensorFlow agree on NCHW only for four dimensions.
  if (axis === -3 && rank === 4) return { op: 'BiasAdd', by: { shape: [bias.length], values: bias }, format: 'NCHW' };
  return { op: 'Add', by: { shape: [bias.length, ...new Array<number>(-axis - 1).fill(1)], values: bias } };
}

/** The step that adds a bias to the result of a linear op: to an existing addend, or by a new op. */
export function planBias(
  view: FoldView,
  { node, axis }: LinearOp,
  bias: Float64Array,
): AddBias | SetAddend | FoldReason {
  const result = { node: node.name, port: 0 };
  const dtype = typeOf(node)!;
  if (whyNotRepresentable(dtype, bias)) return outOfRange(node, dtype);
  const added = ownAddition(view, node);
  if (!added || !isAlong(added, axis, bias.length)) {
    return { kind: 'add_bias', op: node.name, dtype, bias: biasOp(view, result, axis, bias) };
  }
  const { shape, values } = added.affine.shift;
  return planAddend(added, { shape, values: values.map((x, i) => x + bias[i]!) });
}

function outOfRange({ name }: Node, dtype: DataType): FoldReason {
  return { code: 'addend_out_of_range', node: name, dtype: dtypeName(dtype) };
}

/** The addition that is the only consumer of a node. */
function ownAddition(view: FoldView, node: Node): AffineOp | undefined {
  const [only, ...others] = view.graph.consumers({ node: node.name, port: 0 });
  if (!only || others.length > 0 || view.isOutput(node.name) || !(isSum(only) || isBias(only))) return undefined;
  const added = affineOp(view, only);
  return added && !view.whyShared(added.x, only) ? added : undefined;
}

function isAlong({ affine: { shift } }: AffineOp, axis: number, size: number): boolean {
  return shift.values.length === size && (size === 1 || axisOf(shift) === axis);
}

/** The step that changes the constant of an addition or subtraction, so that it adds `addend` to its input. */
export function planAddend({ node, operand, dtype }: AffineOp, addend: Vector): SetAddend | FoldReason {
  if (whyNotRepresentable(dtype, addend.values)) return outOfRange(node, dtype);
  const isSubtracted = isDifference(node) && operand === 1;
  const values = isSubtracted ? addend.values.map((value) => -value) : addend.values;
  const shape = isBias(node) ? [values.length] : addend.shape;
  return { kind: 'set_addend', node: node.name, input: operand, dtype, addend: { shape, values } };
}
