import { type Shape, Shapes } from '../../analysis/values/shapes.js';
import type { Node } from '../../graph/node.js';
import { refText } from '../../graph/node.js';
import type { Found, Rule } from './rule.js';

/** Values of the attr `_output_shapes` that contradict what the ops output: TensorFlow 2 refuses such a graph. */
export const staleShapes: Rule = {
  id: 'stale-shapes',
  level: 'warn',
  find({ model: { graph } }) {
    const shapes = new Shapes(graph);
    const found: Found[] = [];
    for (const node of graph.nodes()) {
      for (const [port, stored] of storedShapes(node).entries()) {
        const actual = shapes.of({ node: node.name, port });
        if (!contradicts(stored, actual)) continue;
        found.push({ node: refText({ node: node.name, port }), detail: { code: 'stale_shape', stored, actual } });
      }
    }
    return found;
  },
};

function storedShapes(node: Node): Shape[] {
  const shapes = node.attr._output_shapes?.list?.shape ?? [];
  return shapes.map(({ unknown_rank, dim }) =>
    unknown_rank ? undefined : (dim ?? []).map(({ size }) => Number(size ?? 0)),
  );
}

/** Whether two shapes cannot be those of one tensor. */
function contradicts(a: Shape, b: Shape): boolean {
  if (!a || !b) return false;
  return a.length !== b.length || a.some((size, axis) => size >= 0 && b[axis]! >= 0 && size !== b[axis]);
}
