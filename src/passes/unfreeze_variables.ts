import { BnfixError } from '../errors.js';
import { type AttrMap, attr } from '../graph/attrs.js';
import type { DataType } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import type { Node, TensorRef } from '../graph/node.js';
import type { Tensor } from '../graph/tensor.js';
import { sameAs } from '../ops/meaning.js';
import { ADDED_READ } from './edits/added_read.js';
import type { Pass, UnfreezePlan } from './pass.js';

/** A constant that became a variable. */
export interface Unfrozen {
  /** The VarHandleOp: the variable has the name that the constant had. */
  readonly node: string;
  readonly value: Tensor;
  /** A ReadVariableOp of it. */
  readonly read: string;
}

/**
 * Turns constants into variables, the reverse of `freeze_variables`. What only forwarded the constant reads the variable; other
 * consumers read it through an op that `freeze_variables` removes again, so that freezing the result gives the same graph.
 *
 *     given:   w = [[1.0], [2.0]], r = Identity(w), y = MatMul(x, r)
 *     result:  w = VarHandleOp[container="", dtype=float32, shape=[2, 1], shared_name=w]
 *              r = ReadVariableOp(w)[dtype=float32], y = MatMul(x, r)
 *
 * Assumes: none of the constants is an output, or has control inputs, which may put it into a loop.
 */
export const unfreezeVariables: Pass<UnfreezePlan, Unfrozen> = {
  name: 'unfreeze_variables',
  run({ graph, constants }) {
    return { outcomes: constants.flatMap((name) => unfreeze(graph, graph.get(name)) ?? []) };
  },
};

function unfreeze(graph: Graph, node: Node): Unfrozen | undefined {
  const { name, tensor } = node;
  if (node.op !== 'Const') return undefined;
  if (!tensor) throw new BnfixError('internal', `${name} has no value`);
  const dtype = attr.type(tensor.dtype);
  const [value, consumers] = [{ node: name, port: 0 }, graph.dataConsumers(name)];
  const read = graph.freeName(`${name}/Read/ReadVariableOp`);
  graph.replace(node, {
    op: 'VarHandleOp',
    attr: { container: attr.string(''), dtype, shape: attr.shape(tensor.shape), shared_name: attr.string(name) },
  });
  const attrs = { dtype, [ADDED_READ]: attr.bool(true) };
  const added = graph.add({ name: read, op: 'ReadVariableOp', inputs: [value], attr: attrs });
  for (const consumer of consumers) {
    if (forwards(consumer, tensor.dtype)) readPlainly(graph, consumer, dtype);
    else readThrough(graph, consumer, value, { node: added.name, port: 0 });
  }
  return { node: name, value: tensor, read };
}

const isIdentity = sameAs('Identity');

/** Whether a node is what `freeze_variables` makes of a ReadVariableOp. */
function forwards(node: Node, dtype: DataType): boolean {
  const { attr: attrs, debugInfo, fullType, unknowns } = node;
  const isPlain = Object.entries(attrs).every(([key, { type }]) => key === 'T' && type === dtype);
  return isIdentity(node) && isPlain && !debugInfo && !fullType && !unknowns;
}

function readPlainly(graph: Graph, node: Node, dtype: AttrMap[string]): void {
  graph.replace(node, { op: 'ReadVariableOp', inputs: node.inputs, controls: node.controls, attr: { dtype } });
}

function readThrough(graph: Graph, consumer: Node, from: TensorRef, to: TensorRef): void {
  graph.setInputs(
    consumer,
    consumer.inputs.map((ref) => (ref.node === from.node ? to : ref)),
  );
}
