import { attrInts } from '../graph/attrs.js';
import type { Graph } from '../graph/graph.js';
import { elementCount } from '../graph/tensor.js';
import { sourceOf } from '../graph/walk.js';
import { anyOf, isIdentity } from '../ops/meaning.js';
import type { TensorValue } from './value.js';

/** The backend that computes in WebAssembly, or the one in JavaScript, which has more kernels. */
export type Backend = 'wasm' | 'cpu';

/**
 * From how many multiplications on WebAssembly is faster, although it takes a tenth of a second to start: measured with convolutions,
 * of which the JavaScript backend computes 130 million a second, and the other one 3.5 billion.
 */
const WASM_FROM = 50e6;

const multipliesByWeights = anyOf('weighted');
/** Batch, depth, height, width, channels. */
const RANK_OF_3D = 5;

/**
 * At most how many multiplications a graph takes, roughly: each kernel is used at each place of the largest input; pooling and strides make
 * it fewer.
 * @returns 0 for a graph that has to be computed in JavaScript
 */
export function estimatedWork(graph: Graph, inputs: readonly TensorValue[]): number {
  const places = Math.max(1, ...inputs.map(({ shape }) => elementCount(shape) / (shape.at(-1) || 1)));
  let weights = 0;
  for (const node of graph.nodes()) {
    if (!multipliesByWeights(node)) continue;
    // The backend in WebAssembly computes half of some 3-D convolutions.
    if (attrInts(node, 'strides')?.length === RANK_OF_3D) return 0;
    const kernels = node.inputs.flatMap((ref) => graph.get(sourceOf(graph, ref, isIdentity).node).tensor ?? []);
    for (const { shape } of kernels) if (shape.length > 1) weights += elementCount(shape);
  }
  return places * weights;
}

/** What computes a graph sooner. @param times - how often it is run with such inputs */
export function backendFor(graph: Graph, inputs: readonly TensorValue[], times = 1): Backend {
  return estimatedWork(graph, inputs) * times > WASM_FROM ? 'wasm' : 'cpu';
}
