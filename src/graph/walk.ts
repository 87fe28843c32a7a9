import { BnfixError } from '../errors.js';
import type { Graph, Node, TensorRef } from './graph.js';

/** Names of all nodes that the given ones need, themselves included; control edges count unless `controls` is false. */
export function ancestors(graph: Graph, from: Iterable<string>, controls = true): Set<string> {
  const seen = new Set<string>(from);
  const stack = [...seen];
  for (let name = stack.pop(); name !== undefined; name = stack.pop()) {
    const node = graph.find(name);
    if (!node) continue;
    const visit = (input: string) => {
      if (!seen.has(input)) {
        seen.add(input);
        stack.push(input);
      }
    };
    for (const ref of node.inputs) visit(ref.node);
    if (controls) for (const input of node.controls) visit(input);
  }
  return seen;
}

/** Names of all nodes that data from the given ones reaches, themselves included. `through` can stop the walk at a node. */
export function descendants(
  graph: Graph,
  from: Iterable<string>,
  through: (node: Node) => boolean = () => true,
): Set<string> {
  const seen = new Set<string>(from);
  const stack = [...seen];
  for (let name = stack.pop(); name !== undefined; name = stack.pop()) {
    const node = graph.find(name);
    if (!node || !through(node)) continue;
    for (const consumer of graph.dataConsumers(name)) {
      if (!seen.has(consumer.name)) {
        seen.add(consumer.name);
        stack.push(consumer.name);
      }
    }
  }
  return seen;
}

/** The way back of a v1 loop: the one edge of a graph that may close a cycle. */
function isBackEdge(graph: Graph, node: Node, input: string): boolean {
  return node.op.endsWith('Merge') && (graph.find(input)?.op.endsWith('NextIteration') ?? false);
}

const orders = new WeakMap<Graph, { readonly changes: number; readonly order: readonly Node[] }>();

/**
 * All nodes, inputs before consumers, otherwise in file order; the edge from NextIteration to Merge does not count. It is
 * kept until the graph changes: most of the analysis asks for it.
 * @throws BnfixError `unreadable` when a cycle is left or an input is missing.
 */
export function topologicalOrder(graph: Graph): readonly Node[] {
  const known = orders.get(graph);
  if (known?.changes === graph.changes) return known.order;
  const order = sort(graph);
  orders.set(graph, { changes: graph.changes, order });
  return order;
}

function sort(graph: Graph): Node[] {
  const order: Node[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const stack: { node: Node; next: number }[] = [];
  const open = (node: Node) => {
    state.set(node.name, 'open');
    stack.push({ node, next: 0 });
  };
  for (const root of graph.nodes()) {
    if (state.has(root.name)) continue;
    open(root);
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const { node } = top;
      const { inputs, controls } = node;
      const at = top.next++;
      const name = at < inputs.length ? inputs[at]!.node : controls[at - inputs.length];
      if (name === undefined) {
        state.set(node.name, 'done');
        order.push(node);
        stack.pop();
        continue;
      }
      const known = state.get(name);
      if (known === 'done' || isBackEdge(graph, node, name)) continue;
      if (known === 'open') {
        throw new BnfixError('unreadable', 'the graph has a cycle', { where: `${name} -> ... -> ${node.name}` });
      }
      const input = graph.find(name);
      if (!input) {
        throw new BnfixError('unreadable', `${node.name} reads ${name}, which is not in the graph`, {
          where: node.name,
          fix: 'the graph file is damaged or was cut: save it again',
        });
      }
      open(input);
    }
  }
  return order;
}

/** Follows input 0 of nodes that pass a tensor on unchanged, back to the node that makes it. */
export function sourceOf(graph: Graph, ref: TensorRef, passes: ReadonlySet<string> = IDENTITIES): TensorRef {
  let at = ref;
  for (let guard = 0; guard < 10_000; guard++) {
    const node = graph.find(at.node);
    if (!node || !passes.has(node.op) || !node.inputs[0]) return at;
    at = node.inputs[0];
  }
  return at;
}

/** Ops whose output 0 is their input 0. */
export const IDENTITIES: ReadonlySet<string> = new Set([
  'Identity',
  'RefIdentity',
  'StopGradient',
  'PreventGradient',
  'CheckNumerics',
  'Snapshot',
]);
