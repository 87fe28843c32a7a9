import { attrType } from '../graph/attrs.js';
import { DataType } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import type { Tolerance } from './compare.js';

/**
 * How far equal graphs differ in practice, by the narrowest float that they compute in: ten times the largest difference between
 * the fixtures' graphs, which are run in float32. A float16 constant has 11 bits, a bfloat16 one 8.
 */
export function defaultTolerance(graph: Graph): Tolerance {
  let narrowest = 0;
  for (const node of graph.nodes()) {
    const dtype = attrType(node, 'T') ?? attrType(node, 'dtype') ?? DataType.DT_INVALID;
    narrowest = Math.max(narrowest, dtype === DataType.DT_BFLOAT16 ? 2 : dtype === DataType.DT_HALF ? 1 : 0);
  }
  return { atol: 1e-6, rtol: [1e-4, 5e-3, 5e-2][narrowest]! };
}
