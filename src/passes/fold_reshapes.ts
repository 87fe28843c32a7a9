import { type FoldView, viewOf } from '../analysis/folding/view.js';
import { attr } from '../graph/attrs.js';
import { type Node, sameRef, type TensorRef } from '../graph/node.js';
import { ancestors } from '../graph/walk.js';
import type { FoldPass } from './fold_outcome.js';

/**
 * Removes pairs of reshapes that cancel out once the batch norm between them is gone, and nodes that feed nothing.
 *
 *     given:   r = Reshape(x, [-1, 1, 1, 8]), y = Reshape(r, Shape(x))      result:  y = Identity(x)
 *
 * Assumes: nothing.
 */
export const foldReshapes: FoldPass = {
  name: 'fold_reshapes',
  run(context) {
    const { graph, outputs } = context;
    const view = viewOf(context);
    for (const node of [...graph.nodes()]) {
      const x = node.op === 'Reshape' ? reshapedBack(view, node) : undefined;
      if (!x) continue;
      if (view.isRemovable(node)) {
        graph.replaceUses({ node: node.name, port: 0 }, x);
      } else {
        const T = node.attr.T ?? attr.type(1);
        graph.replace(node, { op: 'Identity', inputs: [x], controls: node.controls, attr: { T } });
      }
    }
    const names = outputs.map((ref) => ref.node);
    graph.retain(ancestors(graph, names));
    return { outcomes: [] };
  },
};

/** The tensor that a Reshape of a Reshape restores. */
function reshapedBack({ graph }: FoldView, node: Node): TensorRef | undefined {
  const inner = graph.inputNode(node, 0);
  const shape = graph.inputNode(node, 1);
  if (inner?.op !== 'Reshape' || shape?.op !== 'Shape') return undefined;
  const [x, of] = [inner.inputs[0], shape.inputs[0]];
  if (!x || !of || inner.controls.length > 0) return undefined;
  return sameRef(x, of) ? x : undefined;
}
