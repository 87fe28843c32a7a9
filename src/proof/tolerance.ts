import { attrType } from '../graph/attrs.js';
import { DataType } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import { anyOf } from '../ops/meaning.js';
import type { Tolerance } from './compare.js';

/** Of float32, float16 and bfloat16: activations are about 1, whatever the outputs are. */
const DEFAULTS: readonly Tolerance[] = [
  { atol: 1e-6, rtol: 1e-4 },
  { atol: 2e-3, rtol: 5e-3 },
  { atol: 2e-2, rtol: 5e-2 },
];

/** Up to so many ops with weights, rounding errors do not add up to more. */
const SHALLOW = 16;
const multipliesByWeights = anyOf('weighted');

/**
 * How far equal graphs differ in practice, by the narrowest float that they compute in: ten times the largest difference between
 * the fixtures' graphs, which are run in float32. A float16 constant has 11 bits, a bfloat16 one 8. In deeper nets, rounding errors grow with
 * the root of the number of ops that have weights.
 */
export function defaultTolerance(graph: Graph): Tolerance {
  let [narrowest, weighted] = [0, 0];
  for (const node of graph.nodes()) {
    const dtype = attrType(node, 'T') ?? attrType(node, 'dtype') ?? DataType.DT_INVALID;
    narrowest = Math.max(narrowest, dtype === DataType.DT_BFLOAT16 ? 2 : dtype === DataType.DT_HALF ? 1 : 0);
    if (multipliesByWeights(node)) weighted++;
  }
  const { atol, rtol } = DEFAULTS[narrowest]!;
  const growth = Math.sqrt(Math.max(1, weighted / SHALLOW));
  return { atol, rtol: Number((rtol * growth).toPrecision(2)) };
}
