import type { Graph } from '../../graph/graph.js';
import type { Node } from '../../graph/node.js';
import { elementCount } from '../../graph/tensor.js';
import { linearOp } from './linear_ops.js';
import { FoldView } from './view.js';

/** What a graph costs to run. */
export interface Cost {
  /** For one example; sizes that the graph does not say count as 1. */
  readonly multiplications: number;
  /** Number of nodes that compute, by op. */
  readonly ops: Readonly<Record<string, number>>;
}

const NO_WORK: ReadonlySet<string> = new Set(['Const', 'Placeholder', 'PlaceholderWithDefault', 'NoOp', 'Identity']);

/** Ops with one multiplication (or division) for each element of the result. */
const PER_ELEMENT =
  /^(Mul|Div|RealDiv|Square|SquaredDifference|_?FusedBatchNorm(V2|V3|Ex)?|BatchNormWithGlobalNormalization)$/;

/** Counts the multiplications and the ops of a graph; what constants alone determine does not count. */
export function costOf(graph: Graph): Cost {
  const view = new FoldView({ graph, outputs: [], isKept: () => false });
  const ops: Record<string, number> = {};
  let multiplications = 0;
  for (const node of graph.nodes()) {
    if (NO_WORK.has(node.op) || view.constants.vector({ node: node.name, port: 0 })) continue;
    ops[node.op] = (ops[node.op] ?? 0) + 1;
    multiplications += work(view, node);
  }
  const sorted = Object.fromEntries(Object.entries(ops).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { multiplications, ops: sorted };
}

function work(view: FoldView, node: Node): number {
  const op = linearOp(view, node);
  if (!op) return PER_ELEMENT.test(node.op) ? sizeOf(view, node.name) : 0;
  const kernel = elementCount(op.kernelShape);
  if (node.op.includes('BackpropInput')) {
    // Each element of the data is multiplied by the whole kernel of its channel.
    const data = elements(view, node.inputs[op.data]!.node, node.inputs[op.data]!.port);
    return (data * kernel) / op.kernelShape.at(-1)!;
  }
  const outputs = op.channels ?? 1;
  const batches = node.op.includes('MatMul') ? elementCount(op.kernelShape.slice(0, -2)) : 1;
  return (sizeOf(view, node.name) * kernel) / outputs / batches;
}

function sizeOf(view: FoldView, name: string): number {
  return elements(view, name, 0);
}

function elements(view: FoldView, node: string, port: number): number {
  return (view.shapeOf({ node, port }) ?? []).reduce((total, size) => total * Math.max(size, 1), 1);
}
