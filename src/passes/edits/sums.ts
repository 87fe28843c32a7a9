import type { FoldContext } from '../../analysis/folding/context.js';
import type { AddBias, SetAddend, VectorOp } from '../../analysis/folding/steps.js';
import { viewOf } from '../../analysis/folding/view.js';
import { attr } from '../../graph/attrs.js';
import type { DataType } from '../../graph/dtype.js';
import type { NodeSpec, TensorRef } from '../../graph/node.js';
import { numberTensor } from '../../graph/tensor.js';
import type { ConstantAdder } from './constants.js';

/** Suffix for the name of an op's constant, after the name of the node it was made for. */
const CONSTANT_NAMES = { Mul: 'scale', Add: 'shift', BiasAdd: 'bias' } as const;

/** A node that applies `step` to `x`, and its new constant. @param like - a node of the same loop, for names */
export function vectorNode(
  constants: ConstantAdder,
  x: TensorRef,
  step: VectorOp,
  like: string,
  dtype: DataType,
): Omit<NodeSpec, 'name'> {
  const tensor = numberTensor(dtype, step.by.shape, step.by.values);
  const constant = constants.add(`${like}/${CONSTANT_NAMES[step.op]}`, tensor, like);
  const format = step.op === 'BiasAdd' ? { data_format: attr.string(step.format) } : {};
  return { op: step.op, inputs: [x, constant], attr: { T: attr.type(dtype), ...format } };
}

/** Adds a bias to the result of an op. */
export function addBias(context: FoldContext, constants: ConstantAdder, { op, dtype, bias }: AddBias): void {
  const { graph } = context;
  const node = graph.get(op);
  const result = { node: op, port: 0 };
  if (!viewOf(context).isOutput(op)) {
    const spec = vectorNode(constants, result, bias, op, dtype);
    const sum = graph.add({ ...spec, name: graph.freeName(`${op}/BiasAdd`) });
    graph.replaceUses(result, { node: sum.name, port: 0 }, (consumer) => consumer !== sum);
    return;
  }
  // The sum takes over the name of the op, which gets a new one.
  const { inputs, device, controls, attr: attrs } = node;
  const moved = graph.add({ name: graph.freeName(`${op}/${node.op}`), op: node.op, inputs, device, attr: attrs });
  graph.replace(node, { ...vectorNode(constants, { node: moved.name, port: 0 }, bias, op, dtype), controls });
}

/** Changes the constant that a node adds or subtracts: in place if nothing else reads it. */
export function setAddend(context: FoldContext, constants: ConstantAdder, step: SetAddend): void {
  const { graph } = context;
  const node = graph.get(step.node);
  const tensor = numberTensor(step.dtype, step.addend.shape, step.addend.values);
  const operand = graph.inputNode(node, step.input)!;
  const isOwn = operand.op === 'Const' && !viewOf(context).whyShared({ node: operand.name, port: 0 }, node);
  if (isOwn) graph.replaceByConst(operand, tensor, operand.controls);
  else graph.setInput(node, step.input, constants.add(`${node.name}/addend`, tensor, node.name));
}
