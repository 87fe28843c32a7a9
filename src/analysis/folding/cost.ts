import type { Graph } from '../../graph/graph.js';
import type { Node } from '../../graph/node.js';
import { elementCount } from '../../graph/tensor.js';
import { anyOf } from '../../ops/meaning.js';
import { linearOp } from './linear_ops.js';
import { FoldView } from './view.js';

/** The cost of running a graph. */
export interface Cost {
  /** For one example; unknown sizes count as 1. */
  readonly multiplications: number;
  /** Number of nodes with arithmetic, by op. */
  readonly ops: Readonly<Record<string, number>>;
}

const computesNothing = anyOf('constant', 'placeholder', 'no_op', 'identity');

/** Ops with one multiplication (or division) per element of the result. */
const isPerElement = anyOf(
  'multiply',
  'divide',
  'square',
  'fused_batch_norm',
  'fused_batch_norm_activation',
  'global_batch_norm',
);
const isTransposed = anyOf('transposed_convolution');
const isMatMul = anyOf('matmul');

/** Counts the multiplications and the ops of a graph; constant subexpressions do not count. */
export function costOf(graph: Graph): Cost {
  const view = new FoldView({ graph, outputs: [], isKept: () => false });
  const ops: Record<string, number> = {};
  let multiplications = 0;
  for (const node of graph.nodes()) {
    if (computesNothing(node) || view.constants.vector({ node: node.name, port: 0 })) continue;
    ops[node.op] = (ops[node.op] ?? 0) + 1;
    multiplications += work(view, node);
  }
  const sorted = Object.fromEntries(Object.entries(ops).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { multiplications, ops: sorted };
}

function work(view: FoldView, node: Node): number {
  const op = linearOp(view, node);
  if (!op) return isPerElement(node) ? sizeOf(view, node.name) : 0;
  const kernel = elementCount(op.kernelShape);
  if (isTransposed(node)) {
    // Each element of the data is multiplied by the whole kernel of its channel.
    const data = elements(view, node.inputs[op.data]!.node, node.inputs[op.data]!.port);
    return (data * kernel) / op.kernelShape.at(-1)!;
  }
  const outputs = op.channels ?? 1;
  const batches = isMatMul(node) ? elementCount(op.kernelShape.slice(0, -2)) : 1;
  return (sizeOf(view, node.name) * kernel) / outputs / batches;
}

function sizeOf(view: FoldView, name: string): number {
  return elements(view, name, 0);
}

function elements(view: FoldView, node: string, port: number): number {
  return (view.shapeOf({ node, port }) ?? []).reduce((total, size) => total * Math.max(size, 1), 1);
}
