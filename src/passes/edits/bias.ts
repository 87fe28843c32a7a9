import { type AffineOp, affineOp } from '../../analysis/folding/affine.js';
import type { LinearOp } from '../../analysis/folding/linear_ops.js';
import { type FoldView, typeOf } from '../../analysis/folding/view.js';
import { axisOf, type Vector } from '../../analysis/values/vectors.js';
import { attr, attrString } from '../../graph/attrs.js';
import { DataType } from '../../graph/dtype.js';
import type { Node, NodeSpec, TensorRef } from '../../graph/node.js';
import { numberTensor } from '../../graph/tensor.js';

/** Adds a bias per channel to the result of a linear op: into what is added to it anyway, or by an op of its own. */
export function addBias(view: FoldView, { node, axis }: LinearOp, bias: Float64Array): void {
  const { graph } = view;
  const result = { node: node.name, port: 0 };
  const [only, ...others] = graph.consumers(result);
  const added = only && others.length === 0 && !view.isOutput(node.name) ? affineOp(view, only) : undefined;
  if (added && isBias(added, axis, bias.length) && !view.whyShared(result, added.node)) {
    const { shift } = added.affine;
    setAddend(view, added, { shape: shift.shape, values: shift.values.map((x, i) => x + bias[i]!) });
    return;
  }
  if (!view.isOutput(node.name)) {
    const spec = biasAddition(view, result, bias, axis, node);
    const sum = graph.add({ ...spec, name: graph.freeName(`${node.name}/BiasAdd`) });
    graph.replaceUses(result, { node: sum.name, port: 0 }, (consumer) => consumer !== sum);
    return;
  }
  // Its name has to answer the sum: the op itself moves on to another one.
  const { op, inputs, device, controls, attr: attrs } = node;
  const moved = graph.add({ name: graph.freeName(`${node.name}/${op}`), op, inputs, device, attr: attrs });
  const spec = biasAddition(view, { node: moved.name, port: 0 }, bias, axis, moved);
  graph.replace(node, { ...spec, controls });
}

function isBias({ node, affine }: AffineOp, axis: number, size: number): boolean {
  const isSum = /^(Add|AddV2|BiasAdd)$/.test(node.op);
  return isSum && affine.shift.values.length === size && (size === 1 || axisOf(affine.shift) === axis);
}

/**
 * A node that adds a bias to the channels of `x`: BiasAdd where it can (the form that others fuse with the op before),
 * else Add. The bias has a number for each channel. `like` is a node of the same dtype, in the same loop.
 */
export function biasAddition(
  view: FoldView,
  x: TensorRef,
  bias: Float64Array,
  axis: number,
  like: Node,
): Omit<NodeSpec, 'name'> {
  const dtype = typeOf(like) ?? DataType.DT_FLOAT;
  const rank = view.rankOf(x) ?? 0;
  // Of NCHW, versions of TensorFlow agree only where there are four dimensions.
  const format = axis === -1 && rank >= 2 ? 'NHWC' : axis === -3 && rank === 4 ? 'NCHW' : undefined;
  if (format === undefined) {
    return addition(view, x, { shape: [bias.length, ...new Array<number>(-axis - 1).fill(1)], values: bias }, like);
  }
  const constant = view.addConstant(`${like.name}/bias`, dtype, [bias.length], bias, like.name);
  return { op: 'BiasAdd', inputs: [x, constant], attr: { T: attr.type(dtype), data_format: attr.string(format) } };
}

/** A node that adds a vector to `x`, broadcast. */
export function addition(view: FoldView, x: TensorRef, addend: Vector, like: Node): Omit<NodeSpec, 'name'> {
  const dtype = typeOf(like) ?? DataType.DT_FLOAT;
  const constant = view.addConstant(`${like.name}/shift`, dtype, addend.shape, addend.values, like.name);
  return { op: 'Add', inputs: [x, constant], attr: { T: attr.type(dtype) } };
}

/** A node that multiplies `x` by a vector. */
export function product(view: FoldView, x: TensorRef, factor: Vector, like: Node): Omit<NodeSpec, 'name'> {
  const dtype = typeOf(like) ?? DataType.DT_FLOAT;
  const constant = view.addConstant(`${like.name}/scale`, dtype, factor.shape, factor.values, like.name);
  return { op: 'Mul', inputs: [x, constant], attr: { T: attr.type(dtype) } };
}

/** Lets a node that adds or subtracts a constant add another one: `addend` is what is added to its input. */
export function setAddend(view: FoldView, added: AffineOp, addend: Vector): void {
  const { node, operand: index, dtype } = added;
  const { graph } = view;
  const isSubtracted = node.op === 'Sub' && index === 1;
  const values = isSubtracted ? addend.values.map((value) => -value) : addend.values;
  const shape = node.op.startsWith('BiasAdd') ? [values.length] : addend.shape;
  const operand = graph.inputNode(node, index)!;
  const isOwn = operand.op === 'Const' && !view.whyShared({ node: operand.name, port: 0 }, node);
  if (isOwn) {
    graph.replaceByConst(operand, numberTensor(dtype, shape, values), operand.controls);
    return;
  }
  graph.setInput(node, index, view.addConstant(`${node.name}/addend`, dtype, shape, values, node.name));
}

/** The layout that a node says its data has. */
export function formatOf(node: Node): string {
  return attrString(node, 'data_format') ?? 'NHWC';
}
