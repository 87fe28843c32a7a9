import { normalizedBy } from '../analysis/training/normalized_by.js';
import { Shapes } from '../analysis/values/shapes.js';
import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/node.js';
import type { NodeSet } from '../graph/node_set.js';
import type { Sample } from './sites.js';

/** What a root of a stored variance scales, with its channels: see {@link normalizedBy}. */
export function sampleOfRoot(graph: Graph, root: Node, feeding: NodeSet): Sample | undefined {
  const found = normalizedBy(graph, root, feeding);
  if (!found) return undefined;
  const shape = new Shapes(graph).of({ node: found.scale.name, port: 0 });
  const axes = shape && shape.length > 0 ? ({ kind: 'like', shape } as const) : ({ kind: 'last' } as const);
  return { tensor: found.x, axes };
}
