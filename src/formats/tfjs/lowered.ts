import { attr } from '../../graph/attrs.js';
import type { Graph } from '../../graph/graph.js';
import { tensorName } from '../../graph/node.js';
import { ancestors } from '../../graph/walk.js';
import { FunctionLibrary } from '../../ops/functions.js';
import { anyOf } from '../../ops/meaning.js';
import { inlineCalls } from '../../run/functions.js';
import { loweredFunctions, lowerToStock } from '../../run/lower.js';
import type { LoweredFunction } from '../../run/topology.js';
import type { ServedTensor } from '../signature.js';
import { expandOps } from './expand/expand.js';
import { extractTables } from './extract_tables.js';
import { mergeTransposes } from './merge_transposes.js';

/** A graph in the ops of TensorFlow.js. */
export interface LoweredGraph {
  readonly graph: Graph;
  readonly functions: readonly LoweredFunction[];
  /** Fills its lookup tables, before it runs; undefined if there are none. */
  readonly initializer: Graph | undefined;
  /** Its outputs: each of a node of its own. */
  readonly outputs: readonly ServedTensor[];
}

const isFusedNorm = anyOf('fused_batch_norm');

/**
 * A copy of a graph that TensorFlow.js computes as TensorFlow computes the original: ops that it lacks are made of others, channels
 * are last, functions are inlined except for branches and loop bodies.
 */
export function loweredGraph(original: Graph, served: readonly ServedTensor[]): LoweredGraph {
  const graph = original.copy();
  const outputs = withOwnNodes(graph, served);
  const library = new FunctionLibrary(graph);
  inlineCalls(graph, library);
  const initializer = extractTables(graph);
  const ends = () => [...placeholdersOf(graph), ...outputs.map(({ ref }) => ref.node)];
  if (initializer) graph.retain(ancestors(graph, ends()));
  const functions = loweredFunctions(graph, library, lowerForBrowser);
  lowerForBrowser(graph);
  mergeTransposes(graph, new Set(outputs.map(({ ref }) => ref.node)));
  graph.retain(ancestors(graph, ends()));
  return { graph, functions, initializer, outputs };
}

/** Of several outputs of one node, the signature of TensorFlow.js knows only the last one: the others get an Identity. */
function withOwnNodes(graph: Graph, outputs: readonly ServedTensor[]): ServedTensor[] {
  const taken = new Map<string, string>();
  return outputs.map((output) => {
    const { node, port } = output.ref;
    const name = tensorName(output.ref);
    const first = taken.get(node);
    if (first === undefined || first === name) {
      taken.set(node, name);
      return output;
    }
    const own = graph.freeName(`${node}_${port}`);
    graph.add({ name: own, op: 'Identity', inputs: [output.ref], attr: { T: attr.type(output.dtype) } });
    return { ...output, ref: { node: own, port: 0 } };
  });
}

const isPlaceholder = anyOf('placeholder');

function placeholdersOf(graph: Graph): string[] {
  return [...graph.nodes()].filter((node) => isPlaceholder(node)).map(({ name }) => name);
}

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
