import type { Graph } from '../../graph/graph.js';
import { Shapes } from '../values/shapes.js';
import type { Obstacle } from './obstacle.js';

type ShapeObstacle = Extract<Obstacle, { code: 'shapes' }>;

/**
 * Nodes whose inputs have shapes that TensorFlow refuses when it imports the graph.
 * @param from - what the shapes follow from, as for {@link Shapes}
 */
export function findShapeConflicts(graph: Graph, from: 'constants' | 'shapes' = 'constants'): ShapeObstacle[] {
  const shapes = new Shapes(graph, from);
  const obstacles: ShapeObstacle[] = [];
  for (const node of graph.nodes()) {
    const conflict = shapes.conflict(node);
    if (conflict) obstacles.push({ code: 'shapes', node: node.name, op: node.op, shapes: conflict });
  }
  return obstacles;
}
