import type { Graph } from '../../graph/graph.js';
import type { TensorRef } from '../../graph/node.js';
import { ancestors } from '../../graph/walk.js';
import { FunctionLibrary } from '../../ops/functions.js';
import { anyOf } from '../../ops/meaning.js';
import { inlineCalls } from '../../run/functions.js';
import { loweredFunctions, lowerToStock } from '../../run/lower.js';
import type { LoweredFunction } from '../../run/topology.js';
import { expandOps } from './expand/expand.js';

/** A graph in the ops of TensorFlow.js. */
export interface LoweredGraph {
  readonly graph: Graph;
  readonly functions: readonly LoweredFunction[];
}

const isFusedNorm = anyOf('fused_batch_norm');

/**
 * A copy of a graph that TensorFlow.js computes as TensorFlow computes the original: ops that it lacks are made of others, channels
 * are last, functions are inlined except for branches and loop bodies.
 */
export function loweredGraph(original: Graph, outputs: readonly TensorRef[]): LoweredGraph {
  const graph = original.copy();
  const library = new FunctionLibrary(graph);
  inlineCalls(graph, library);
  const functions = loweredFunctions(graph, library, lowerForBrowser);
  lowerForBrowser(graph);
  const inputs = [...graph.nodes()].filter((node) => isPlaceholder(node)).map(({ name }) => name);
  graph.retain(ancestors(graph, [...inputs, ...outputs.map(({ node }) => node)]));
  return { graph, functions };
}

const isPlaceholder = anyOf('placeholder');

function lowerForBrowser(graph: Graph): void {
  expandOps(graph);
  lowerToStock(graph, isFusedNorm);
  releaseGates(graph);
}

/** A gate is an Identity that waits for its branch: TensorFlow.js waits for control inputs as for others. */
function releaseGates(graph: Graph): void {
  for (const node of [...graph.nodes()]) {
    if (node.op !== 'Gate') continue;
    const [value, ...pivots] = node.inputs;
    graph.replace(node, { op: 'Identity', inputs: [value!], controls: pivots.map((pivot) => pivot.node) });
  }
}
