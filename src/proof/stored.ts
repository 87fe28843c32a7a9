import { variableValue } from '../analysis/state/checkpoint_value.js';
import type { Replacement } from '../analysis/training/replacements.js';
import { attr, attrType } from '../graph/attrs.js';
import { DataType } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import type { Checkpoint } from '../graph/model.js';
import type { TensorRef } from '../graph/node.js';
import { elementCount, filledTensor, numberTensor, readNumbers, type Tensor } from '../graph/tensor.js';

/** Adds a constant to a graph. @param base - the start of its name */
export function addConstant(graph: Graph, base: string, tensor: Tensor): TensorRef {
  const name = graph.freeName(`${base}/stored`);
  graph.add({ name, op: 'Const', tensor, attr: { dtype: attr.type(tensor.dtype) } });
  return { node: name, port: 0 };
}

/** Makes all readers of a tensor read what replaces it at inference, with the values of the checkpoint. */
export function replaceByStored(graph: Graph, { tensor, by }: Replacement, checkpoint: Checkpoint | undefined): void {
  const node = graph.find(tensor.node);
  if (!node) return;
  const row = 'variable' in by ? by.variable.row : undefined;
  if (row && graph.has(row.read.node)) {
    graph.replaceUses(tensor, row.read);
    return;
  }
  const dtype = attrType(node, 'T') ?? DataType.DT_FLOAT;
  graph.replaceUses(tensor, addConstant(graph, tensor.node, storedValue(by, dtype, checkpoint)));
}

function storedValue(by: Replacement['by'], dtype: DataType, checkpoint: Checkpoint | undefined): Tensor {
  if ('value' in by) {
    const shape = by.shape.map((size) => Math.max(size, 1));
    return filledTensor(dtype, shape, by.value);
  }
  const value = variableValue(by.variable, checkpoint);
  if (!by.shape) return value;
  const known = by.shape.filter((size) => size >= 0).reduce((product, size) => product * size, 1);
  const shape = by.shape.map((size) => (size >= 0 ? size : elementCount(value.shape) / known));
  return numberTensor(value.dtype, shape, readNumbers(value));
}
