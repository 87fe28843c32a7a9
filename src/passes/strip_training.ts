import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/node.js';
import { NodeSet } from '../graph/node_set.js';
import { anyOf, isMerge, isSwitch } from '../ops/meaning.js';
import type { Pass } from './pass.js';

/**
 * Removes nodes that feed no output (optimizers, gradients, savers, summaries, initialisers, update ops) and their
 * control edges.
 *
 *     given:   AssignSub(moving_mean, d), y = Identity(x, ^AssignSub)      result:  y = Identity(x)
 *
 * Assumes: the outputs exist. A control edge from the pivot of a branch or a loop stays: it determines when a node runs.
 */
export const stripTraining: Pass = {
  name: 'strip_training',
  run({ graph, outputs, tables }) {
    const before = graph.size;
    const live = new NodeSet(graph);
    const pivots = new Pivots(graph);
    for (const ref of outputs) live.add(graph.get(ref.node));
    for (const { initializer } of tables) live.add(graph.get(initializer));
    const fills = new Set(tables.flatMap(({ initializer, ready }) => [initializer, ready]));
    for (const node of live) {
      const controls = node.controls.filter((input) => fills.has(input) || isPivot(graph, input));
      // A constant that waited for a training op must stay in its branch or loop.
      if (controls.length === 0 && node.inputs.length === 0) controls.push(...pivots.behind(node));
      if (controls.join() !== node.controls.join()) graph.setControls(node, controls);
      for (const input of graph.inputNodes(node)) live.add(input);
      for (const input of controls) live.add(graph.find(input));
    }
    graph.retain(live);
    return { outcomes: [{ kind: 'stripped', removed: before - graph.size, of: before }] };
  },
};

const branches = anyOf('switch', 'merge', 'enter', 'loop_cond');
const beginsTurn = anyOf('enter', 'next_iteration');
const isExit = anyOf('exit');

/** Whether a node is a pivot: it runs if a branch is taken, or once per iteration. */
function isPivot(graph: Graph, name: string): boolean {
  const node = behindIdentities(graph, name);
  return node !== undefined && branches(node) && !isJoin(graph, node);
}

function behindIdentities(graph: Graph, name: string): Node | undefined {
  let node: Node | undefined = graph.find(name);
  while (node?.op === 'Identity') node = graph.inputNode(node, 0);
  return node;
}

/** Whether a Merge ends a branch. The Merge of a loop begins an iteration instead. */
function isJoin(graph: Graph, node: Node): boolean {
  if (!isMerge(node)) return false;
  return !graph.inputNodes(node).some(beginsTurn);
}

/** The pivot of nodes that belong to a branch or a loop only through other nodes. */
class Pivots {
  readonly #graph: Graph;
  readonly #known = new Map<string, string | undefined>();

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  behind(node: Node): string[] {
    for (const name of node.controls) {
      const pivot = this.#of(name);
      if (pivot !== undefined) return [pivot];
    }
    return [];
  }

  /** Walks backwards to a pivot; skips completed branches, from their Merge to their Switch. */
  #of(start: string): string | undefined {
    const seen = new Map([[`${start} 0`, { name: start, depth: 0 }]]);
    const visit = (name: string, depth: number) => seen.set(`${name} ${depth}`, { name, depth });
    let found: string | undefined;
    for (const { name, depth } of seen.values()) {
      const node = this.#graph.find(name);
      const source = behindIdentities(this.#graph, name);
      if (depth === 0 && this.#known.has(name)) found = this.#known.get(name);
      else if (depth > 0 && source && this.#isBranch(source)) {
        for (const ref of source.inputs) visit(ref.node, depth - 1);
        continue;
      } else if (isPivot(this.#graph, name)) found = name;
      if (found !== undefined) break;
      if (!node || isExit(node) || (depth === 0 && this.#known.has(name))) continue;
      const next = isJoin(this.#graph, node) ? depth + 1 : depth;
      for (const ref of node.inputs) visit(ref.node, next);
      for (const control of node.controls) visit(control, depth);
    }
    // Nodes visited without finding a pivot need not be visited again.
    if (found === undefined) {
      for (const { name, depth } of seen.values()) if (depth === 0) this.#known.set(name, undefined);
    }
    this.#known.set(start, found);
    return found;
  }

  /** Whether a Switch begins a branch, not the exit of a loop. */
  #isBranch(node: Node): boolean {
    return isSwitch(node) && behindIdentities(this.#graph, node.inputs[1]?.node ?? '')?.op !== 'LoopCond';
  }
}
