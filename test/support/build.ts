import { type AttrMap, attr } from '../../src/graph/attrs.js';
import { DataType } from '../../src/graph/dtype.js';
import { Graph, type GraphHeader } from '../../src/graph/graph.js';
import { type NodeSpec, parseInput } from '../../src/graph/node.js';
import { numberTensor, type Tensor } from '../../src/graph/tensor.js';

/** A node whose inputs are written as in a NodeDef: `name`, `name:1`, `^name`. */
export function node(name: string, op: string, inputs: readonly string[] = [], attrs: AttrMap = {}): NodeSpec {
  const parsed = inputs.map(parseInput);
  return {
    name,
    op,
    inputs: parsed.flatMap((input) => (input.port === undefined ? [] : [{ node: input.node, port: input.port }])),
    controls: parsed.filter((input) => input.port === undefined).map((input) => input.node),
    attr: attrs,
  };
}

export function placeholder(name: string, dtype: DataType = DataType.DT_FLOAT, shape?: readonly number[]): NodeSpec {
  return node(name, 'Placeholder', [], { dtype: attr.type(dtype), shape: attr.shape(shape) });
}

/** A Const of the given numbers; flat. */
export function constant(
  name: string,
  numbers: readonly number[],
  shape: readonly number[] = [numbers.length],
  dtype: DataType = DataType.DT_FLOAT,
  controls: readonly string[] = [],
): NodeSpec {
  return constantOf(name, numberTensor(dtype, shape, numbers), controls);
}

export function constantOf(name: string, tensor: Tensor, controls: readonly string[] = []): NodeSpec {
  return { ...node(name, 'Const', [], { dtype: attr.type(tensor.dtype) }), controls, tensor };
}

export function graphOf(nodes: readonly NodeSpec[], frame?: GraphHeader): Graph {
  return new Graph(nodes, frame);
}

/** An attr that lists ints. */
export function ints(...i: number[]) {
  return { list: { i } };
}

export const T_FLOAT: AttrMap = { T: attr.type(DataType.DT_FLOAT) };
