import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/node.js';
import { NodeSet } from '../graph/node_set.js';
import { anyOf, isMerge, isSwitch } from '../ops/meaning.js';
import type { Pass } from './pass.js';

/**
 * Removes what does not lead to an output: optimizers, gradients, savers, summaries, initialisers, update ops, and the
 * control edges that tie them in.
 *
 *     given:   AssignSub(moving_mean, d), y = Identity(x, ^AssignSub)      result:  y = Identity(x)
 *
 * Assumes: the outputs exist. A control edge from the pivot of a branch or a loop stays: it says when a node runs.
 */
export const stripTraining: Pass = {
  name: 'strip_training',
  run({ graph, outputs }) {
    const before = graph.size;
    const live = new NodeSet(graph);
    const pivots = new Pivots(graph);
    for (const ref of outputs) live.add(graph.get(ref.node));
    for (const node of live) {
      const controls = node.controls.filter((input) => isPivot(graph, input));
      // A constant of a branch or a loop that waited for a training op still has to know where it is.
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

/** Whether a node stands for "this branch is taken" or "this iteration runs". */
function isPivot(graph: Graph, name: string): boolean {
  const node = behindIdentities(graph, name);
  return node !== undefined && branches(node) && !isJoin(graph, node);
}

function behindIdentities(graph: Graph, name: string): Node | undefined {
  let node: Node | undefined = graph.find(name);
  while (node?.op === 'Identity') node = graph.inputNode(node, 0);
  return node;
}

/** Whether a Merge ends a branch: what comes after it is on no branch any more. The Merge of a loop begins a turn. */
function isJoin(graph: Graph, node: Node): boolean {
  if (!isMerge(node)) return false;
  return !graph.inputNodes(node).some(beginsTurn);
}

/** For nodes that are tied to a branch or a loop only through other nodes: the pivot that those depend on. */
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

  /** Goes back until a pivot is met; a branch that has been left again is passed from its Merge to its Switch. */
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
    // What was walked without a find leads nowhere; it need not be walked again.
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
