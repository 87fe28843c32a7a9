import type { OnnxNode, Value } from './scope.js';

/** How far the search is with a node: it waits for its inputs, then for its subgraphs. */
type Stage = 'inputs' | 'subgraphs' | 'done';

/**
 * The nodes that feed some values, each after what it reads. Nodes of a subgraph come after everything that is passed into it.
 * A cycle, which a valid model does not have, is cut somewhere.
 * @param isCut - whether what a node reads does not matter
 */
export function inOrder(outputs: readonly Value[], isCut: (node: OnnxNode) => boolean = () => false): OnnxNode[] {
  const order: OnnxNode[] = [];
  const stages = new Map<OnnxNode, Stage>();
  const stack: OnnxNode[] = [];
  const push = (values: readonly (Value | undefined)[]) => {
    for (const value of values) if (value?.producer && !stages.has(value.producer)) stack.push(value.producer);
  };
  push(outputs);
  for (let node = stack.at(-1); node; node = stack.at(-1)) {
    const stage = stages.get(node);
    if (stage === undefined) {
      stages.set(node, 'inputs');
      if (!isCut(node)) push(node.inputs);
    } else if (stage === 'inputs') {
      stages.set(node, 'subgraphs');
      push(node.results);
    } else {
      stack.pop();
      if (stage === 'done') continue;
      stages.set(node, 'done');
      order.push(node);
    }
  }
  return order;
}
