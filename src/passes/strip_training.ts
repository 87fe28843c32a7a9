import type { Graph, Node } from '../graph/graph.js';
import type { Pass } from './pass.js';

/**
 * Removes what does not lead to an output: optimizers, gradients, savers, summaries, initialisers, update ops, and the
 * control edges that tie them in.
 *
 *     given:   y = Identity(x, ^AssignSub)      result:  y = Identity(x)
 *
 * Assumes: the outputs exist. A control edge from the pivot of a branch or a loop stays: it says when a node runs.
 */
export const stripTraining: Pass = {
  name: 'strip_training',
  run({ graph, outputs }) {
    const before = graph.size;
    const live = new Set(outputs.map((ref) => ref.node));
    for (const name of live) {
      const node = graph.get(name);
      const controls = node.controls.filter((input) => isPivot(graph, input));
      if (controls.length < node.controls.length) graph.setControls(node, controls);
      for (const ref of node.inputs) live.add(ref.node);
      for (const input of controls) live.add(input);
    }
    for (const node of graph.nodes()) if (!live.has(node.name) && node.controls.length > 0) graph.setControls(node, []);
    graph.retain(live);
    return {
      changed: [{ node: '', text: `${before - graph.size} of ${before} nodes do not lead to an output` }],
      skipped: [],
    };
  },
};

const BRANCHING: ReadonlySet<string> = new Set([
  'Switch',
  'RefSwitch',
  'Merge',
  'RefMerge',
  'Enter',
  'RefEnter',
  'LoopCond',
]);

/** Whether a node stands for "this branch is taken" or "this iteration runs". */
function isPivot(graph: Graph, name: string): boolean {
  let node: Node | undefined = graph.find(name);
  while (node?.op === 'Identity') node = graph.inputNode(node, 0);
  return node !== undefined && BRANCHING.has(node.op);
}
