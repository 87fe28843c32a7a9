import { type Node, refText, sameRef, type TensorRef } from '../../graph/node.js';
import { isSelect, isSwitch } from '../../ops/meaning.js';
import { numberOf } from '../values/constants.js';
import type { NewlyKnown } from '../values/pinned_constants.js';
import { type BranchState, killFrom, neededBy, neededInputs } from './branches.js';
import type { LiveNodes } from './live_nodes.js';

/**
 * What changes if some more tensors become known: walks forwards from them through what never runs, then backwards through
 * what nothing reads any more.
 */
export class PinTrial implements BranchState {
  /** Nodes that never run any more. */
  readonly dead = new Set<Node>();
  /** Switches, and their port that never has a value. */
  readonly deadPorts = new Map<string, 0 | 1>();
  /** Nodes that no longer feed the outputs. */
  readonly gone = new Set<Node>();
  /** How many inputs of live nodes, and outputs, a node is, where that changes. */
  readonly uses = new Map<Node, number>();
  readonly #base: LiveNodes;
  readonly #known: NewlyKnown;
  /** Whether a loop lost a reader: it may only keep itself alive. */
  #isUnsure = false;

  constructor(base: LiveNodes, known: NewlyKnown) {
    this.#base = base;
    this.#known = known;
    const decided = this.#decided();
    const merges = this.#kill(decided);
    this.#release(new Set([...decided, ...merges]));
    if (this.#isUnsure) this.#walkAll();
  }

  numberAt(ref: TensorRef): number | undefined {
    return numberOf(this.#known.get(refText(ref))?.value) ?? this.#base.numberAt(ref);
  }

  isDead(ref: TensorRef): boolean {
    return this.deadPorts.get(ref.node) === ref.port || this.#base.isDead(ref) || this.isDeadNode(this.#node(ref.node));
  }

  isDeadNode(node: Node | undefined): boolean {
    return node !== undefined && (this.dead.has(node) || this.#base.isDeadNode(node));
  }

  /** The Switches and Selects whose condition becomes known. */
  #decided(): Node[] {
    const { graph } = this.#base;
    return [...this.#known.values()].flatMap(({ ref, value }) => {
      if (numberOf(value) === undefined || this.#base.numberAt(ref) !== undefined) return [];
      return graph.consumers(ref).filter((node) => {
        const condition = isSwitch(node) ? node.inputs[1] : isSelect(node) ? node.inputs[0] : undefined;
        return condition !== undefined && sameRef(condition, ref);
      });
    });
  }

  /** Finds what never runs. Returns the Merges that lose an input. */
  #kill(decided: readonly Node[]): Set<Node> {
    const untaken = decided.filter(isSwitch).map((node): TensorRef => {
      const port = this.numberAt(node.inputs[1]!) ? 0 : 1;
      this.deadPorts.set(node.name, port);
      return { node: node.name, port };
    });
    return killFrom(this.#base.graph, untaken, this, (node) => this.dead.add(node));
  }

  /** Finds what no longer feeds the outputs because some nodes need fewer of their inputs. */
  #release(changed: ReadonlySet<Node>): void {
    const { graph } = this.#base;
    const waiting: Node[] = [];
    const release = (node: Node | undefined) => {
      if (!node || this.#count(node, -1) > 0) return;
      this.gone.add(node);
      waiting.push(node);
    };
    for (const node of changed) {
      if (!this.#base.isLive(node)) continue;
      for (const input of neededInputs(graph, this, node)) if (input) this.#count(input, 1);
      for (const input of neededInputs(graph, this.#base, node)) release(input);
    }
    for (let node = waiting.pop(); node; node = waiting.pop()) {
      for (const input of neededInputs(graph, changed.has(node) ? this : this.#base, node)) release(input);
    }
  }

  #count(node: Node, more: number): number {
    const uses = (this.uses.get(node) ?? this.#base.uses(node)) + more;
    this.uses.set(node, uses);
    if (uses > 0 && this.#base.isLooping(node)) this.#isUnsure = true;
    return uses;
  }

  /** The same without counting uses, which a loop keeps up by itself. */
  #walkAll(): void {
    const { graph, outputs, first } = this.#base;
    const live = neededBy(graph, this, outputs);
    this.uses.clear();
    for (const node of first) {
      this.uses.set(node, 0);
      if (!live.has(node) && this.#base.isLive(node)) this.gone.add(node);
    }
    const use = (node: Node | undefined) => node && this.uses.set(node, (this.uses.get(node) ?? 0) + 1);
    for (const { node } of outputs) use(this.#node(node));
    for (const node of live) for (const input of neededInputs(graph, this, node)) use(input);
  }

  #node(name: string): Node | undefined {
    return this.#base.graph.find(name);
  }
}
