/**
 * The strongly connected components of a directed graph (Tarjan 1972), each after all that feed it. Does not call itself along edges.
 * @param inputs - the nodes that feed a node; those that are not in `nodes` are ignored
 */
export function components<T>(nodes: readonly T[], inputs: (node: T) => readonly T[]): T[][] {
  const known = new Set(nodes);
  const index = new Map<T, number>();
  const low = new Map<T, number>();
  const open: T[] = [];
  const isOpen = new Set<T>();
  const found: T[][] = [];
  const enter = (node: T) => {
    index.set(node, index.size);
    low.set(node, index.get(node)!);
    open.push(node);
    isOpen.add(node);
    return { node, inputs: inputs(node), at: 0 };
  };
  for (const root of nodes) {
    if (index.has(root)) continue;
    const stack = [enter(root)];
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const { node } = top;
      const next = top.inputs[top.at++];
      if (next !== undefined) {
        if (!known.has(next)) continue;
        if (!index.has(next)) stack.push(enter(next));
        else if (isOpen.has(next)) low.set(node, Math.min(low.get(node)!, index.get(next)!));
        continue;
      }
      stack.pop();
      const parent = stack.at(-1);
      if (parent) low.set(parent.node, Math.min(low.get(parent.node)!, low.get(node)!));
      if (low.get(node) !== index.get(node)) continue;
      const component = open.splice(open.lastIndexOf(node));
      for (const each of component) isOpen.delete(each);
      found.push(component);
    }
  }
  return found;
}
