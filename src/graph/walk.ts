import { BnfixError } from '../errors.js';
import { missingInput } from './corrupt_graph.js';
import type { Graph } from './graph.js';
import { memoizeByVersion } from './memo.js';
import { type Node, refText, type TensorRef } from './node.js';
import { NodeSet } from './node_set.js';

/** The named nodes and everything that feeds them; control edges count unless `controls` is false. */
export function ancestors(graph: Graph, from: Iterable<string>, controls = true): NodeSet {
  const found = new NodeSet(graph);
  for (const name of from) found.add(graph.find(name));
  for (const node of found) {
    for (const input of graph.inputNodes(node)) found.add(input);
    if (controls) for (const name of node.controls) found.add(graph.find(name));
  }
  return found;
}

/** The named nodes and everything that they feed. `through` can stop the walk at a node. */
export function descendants(
  graph: Graph,
  from: Iterable<string>,
  through: (node: Node) => boolean = () => true,
): NodeSet {
  const found = new NodeSet(graph);
  for (const name of from) found.add(graph.find(name));
  for (const node of found) {
    if (through(node)) for (const consumer of graph.dataConsumers(node.name)) found.add(consumer);
  }
  return found;
}

/** Whether an edge is the back edge of a v1 loop, ref or not: only such an edge may close a cycle. */
function isBackEdge(node: Node, input: Node): boolean {
  return node.op.endsWith('Merge') && input.op.endsWith('NextIteration');
}

interface Order {
  readonly order: readonly Node[];
  /** Whether a graph has back edges, of v1 loops. */
  readonly hasLoops: boolean;
}

const orderOf = memoizeByVersion(sort, (graph: Graph) => graph);

/**
 * All nodes, inputs before consumers, otherwise in file order; the edge from NextIteration to Merge does not count.
 * @throws BnfixError `unreadable` when the graph has another cycle or an input is missing.
 */
export function topologicalOrder(graph: Graph): readonly Node[] {
  return orderOf(graph).order;
}

/** Whether some nodes feed themselves: while loops. */
export function hasLoops(graph: Graph): boolean {
  return orderOf(graph).hasLoops;
}

/**
 * The nodes that a property spreads to, from inputs to consumers: tests each node against those found before.
 * In loops, the test is repeated from the beginning of the loop until it finds nothing new.
 */
export function spread(graph: Graph, joins: (node: Node, found: NodeSet) => boolean): NodeSet {
  const { order, hasLoops } = orderOf(graph);
  const found = new NodeSet(graph);
  for (let before = -1; before < found.size; ) {
    before = hasLoops ? found.size : order.length;
    for (const node of order) if (!found.has(node) && joins(node, found)) found.add(node);
  }
  return found;
}

function sort(graph: Graph): Order {
  const order: Node[] = [];
  let hasLoops = false;
  const opened = new NodeSet(graph);
  const done = new NodeSet(graph);
  const stack: { node: Node; next: number }[] = [];
  const open = (node: Node) => {
    opened.add(node);
    stack.push({ node, next: 0 });
  };
  for (const root of graph.nodes()) {
    if (opened.has(root)) continue;
    open(root);
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const { node } = top;
      const { inputs, controls } = node;
      const at = top.next++;
      if (at === inputs.length + controls.length) {
        done.add(node);
        order.push(node);
        stack.pop();
        continue;
      }
      const input = graph.find(at < inputs.length ? inputs[at]!.node : controls[at - inputs.length]!);
      if (!input) {
        const ref = inputs[at];
        const edge = ref ? refText(ref) : `^${controls[at - inputs.length]}`;
        throw missingInput(node, edge);
      }
      if (isBackEdge(node, input)) hasLoops = true;
      else if (!opened.has(input)) open(input);
      else if (!done.has(input)) {
        throw new BnfixError('unreadable', 'the graph has a cycle', { where: `${input.name} -> ... -> ${node.name}` });
      }
    }
  }
  return { order, hasLoops };
}

/** Follows input 0 of nodes to skip (that forward a tensor, say), back to the first other node. */
export function sourceOf(graph: Graph, ref: TensorRef, passes: (node: Node) => boolean): TensorRef {
  let at = ref;
  let node = graph.find(ref.node);
  // Only the edge back of a loop can lead to a node again.
  const seen = new Set<Node>();
  while (node && passes(node) && node.inputs[0] && !seen.has(node)) {
    if (node.op.endsWith('NextIteration')) seen.add(node);
    at = node.inputs[0];
    node = graph.inputNode(node, 0);
  }
  return at;
}
