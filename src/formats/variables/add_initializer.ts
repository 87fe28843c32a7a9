import { type AttrMap, attr } from '../../graph/attrs.js';
import { DataType } from '../../graph/dtype.js';
import type { Graph } from '../../graph/graph.js';
import type { NodeSpec, TensorRef } from '../../graph/node.js';
import { byteSize, numberTensor, rawTensor, stringTensor, type Tensor } from '../../graph/tensor.js';
import type { Unfrozen } from '../../passes/unfreeze_variables.js';
import { tensorflow } from '../../proto/tensorflow.js';

const MAX_INT32 = 2 ** 31 - 1;

/**
 * Gives a variable an initialiser, which sets it to zero: TensorFlow needs one for each variable, although a Saver restores
 * them all.
 * @returns the VariableDef of the variable
 */
export function addInitializer(graph: Graph, { node, value, read }: Unfrozen, trainable: boolean): Uint8Array {
  const { dtype, shape } = value;
  const add = (base: string, spec: Omit<NodeSpec, 'name'>): string =>
    graph.add({ name: graph.freeName(`${node}/${base}`), ...spec }).name;
  const constant = (base: string, tensor: Tensor): TensorRef =>
    output(add(base, { op: 'Const', tensor, attr: { dtype: attr.type(tensor.dtype) } }));
  const index = shape.some((size) => size > MAX_INT32) ? DataType.DT_INT64 : DataType.DT_INT32;
  const sizes = constant('Initializer/zeros/shape_as_tensor', numberTensor(index, [shape.length], shape));
  const zero = constant('Initializer/zeros/Const', zeroOf(dtype));
  const types: AttrMap = { T: attr.type(dtype), index_type: attr.type(index) };
  const zeros = add('Initializer/zeros', { op: 'Fill', inputs: [sizes, zero], attr: types });
  const inputs = [output(node), output(zeros)];
  const assign = add('Assign', { op: 'AssignVariableOp', inputs, attr: { dtype: attr.type(dtype) } });
  return tensorflow.VariableDef.encode({
    variable_name: `${node}:0`,
    initializer_name: assign,
    snapshot_name: `${read}:0`,
    initial_value_name: `${zeros}:0`,
    is_resource: true,
    trainable,
  }).finish();
}

function output(node: string): TensorRef {
  return { node, port: 0 };
}

function zeroOf(dtype: DataType): Tensor {
  if (dtype === DataType.DT_STRING) return stringTensor([], [new Uint8Array()]);
  return rawTensor(dtype, [], new Uint8Array(byteSize(dtype, [])));
}
