import type { Graph } from '../../graph/graph.js';
import { Shapes } from '../values/shapes.js';
import type { Obstacle } from './obstacle.js';

/** Nodes whose inputs have shapes that TensorFlow refuses when it imports the graph. */
export function findShapeConflicts(graph: Graph): Obstacle[] {
  const shapes = new Shapes(graph);
  const obstacles: Obstacle[] = [];
  for (const node of graph.nodes()) {
    const conflict = shapes.conflict(node);
    if (conflict) obstacles.push({ code: 'shapes', node: node.name, op: node.op, shapes: conflict });
  }
  return obstacles;
}
