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
 * The op that adds a bias along the dimension `axis` of `x`: BiasAdd where it can (the form that others fuse with the op
 * before), else Add.
 * @param bias - a number for each channel
 */
export function biasOp(view: FoldView, x: TensorRef, axis: number, bias: Float64Array): VectorOp {
  const rank = view.rankOf(x) ?? 0;
  if (axis === -1 && rank >= 2) return { op: 'BiasAdd', by: { shape: [bias.length], values: bias }, format: 'NHWC' };
  // Of NCHW, versions of TensorFlow agree only where there are four dimensions.
  if (axis === -3 && rank === 4) return { op: 'BiasAdd', by: { shape: [bias.length], values: bias }, format: 'NCHW' };
  return { op: 'Add', by: { shape: [bias.length, ...new Array<number>(-axis - 1).fill(1)], values: bias } };
}

/** The step that adds a bias to the result of a linear op: into what is added to it anyway, or by an op of its own. */
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

/** The addition that alone reads the result of a node. */
function ownAddition(view: FoldView, node: Node): AffineOp | undefined {
  const [only, ...others] = view.graph.consumers({ node: node.name, port: 0 });
  if (!only || others.length > 0 || view.isOutput(node.name) || !(isSum(only) || isBias(only))) return undefined;
  const added = affineOp(view, only);
  return added && !view.whyShared(added.x, only) ? added : undefined;
}

function isAlong({ affine: { shift } }: AffineOp, axis: number, size: number): boolean {
  return shift.values.length === size && (size === 1 || axisOf(shift) === axis);
}

/** The step that lets a node which adds or subtracts a constant add `addend` to its input. */
export function planAddend({ node, operand, dtype }: AffineOp, addend: Vector): SetAddend | FoldReason {
  if (whyNotRepresentable(dtype, addend.values)) return outOfRange(node, dtype);
  const isSubtracted = isDifference(node) && operand === 1;
  const values = isSubtracted ? addend.values.map((value) => -value) : addend.values;
  const shape = isBias(node) ? [values.length] : addend.shape;
  return { kind: 'set_addend', node: node.name, input: operand, dtype, addend: { shape, values } };
}
