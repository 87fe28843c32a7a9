import { type Shape, Shapes } from '../../analysis/values/shapes.js';
import { type Node, refText, type TensorRef } from '../../graph/node.js';
import type { Rule } from './rule.js';

/** Values of the attr `_output_shapes` that contradict what the ops output: TensorFlow 2 refuses such a graph. */
export const staleShapes: Rule = {
  id: 'stale-shapes',
  level: 'warn',
  find({ model: { graph } }) {
    const shapes = new Shapes(graph);
    const found: { readonly ref: TensorRef; readonly stored: Shape; readonly actual: Shape }[] = [];
    for (const node of graph.nodes()) {
      for (const [port, stored] of storedShapes(node).entries()) {
        const ref = { node: node.name, port };
        const actual = shapes.of(ref);
        if (contradicts(stored, actual)) found.push({ ref, stored, actual });
      }
    }
    const [first] = found;
    if (!first) return [];
    const { ref, stored, actual } = first;
    return [{ node: refText(ref), detail: { code: 'stale_shapes', count: found.length, stored, actual } }];
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
