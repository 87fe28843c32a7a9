import type { Graph } from '../../graph/graph.js';
import { type Node, refText, type TensorRef } from '../../graph/node.js';
import { NodeNumbers } from '../../graph/node_numbers.js';
import { NodeSet } from '../../graph/node_set.js';
import { isMerge, isSwitch } from '../../ops/meaning.js';
import { numberOf, type Pins } from '../values/constants.js';
import type { NewlyKnown } from '../values/pinned_constants.js';
import { PinnedValues } from '../values/pinned_values.js';
import { type BranchState, killFrom, neededBy, neededInputs } from './branches.js';
import { conditionOf } from './conditions.js';
import type { LiveNodes } from './live_nodes.js';

/** What a trial finds out about nodes; the next one uses the same memory. */
export class TrialTables {
  readonly dead: NodeSet;
  readonly gone: NodeSet;
  readonly uses: NodeNumbers;

  constructor(graph: Graph) {
    this.dead = new NodeSet(graph);
    this.gone = new NodeSet(graph);
    this.uses = new NodeNumbers(graph);
  }

  /** Empties all tables, in the time of what is in them. */
  clear(): void {
    for (const table of [this.dead, this.gone, this.uses]) table.clear();
  }
}

/**
 * What changes if some more tensors become known: walks forwards from them through what never runs, then backwards through
 * what nothing reads any more. Valid until the next trial with the same tables.
 */
export class PinTrial implements BranchState {
  /** Nodes that never run any more. */
  readonly dead: NodeSet;
  /** Switches, and their port that never has a value. */
  readonly deadPorts = new Map<string, 0 | 1>();
  /** Nodes that no longer feed the outputs. */
  readonly gone: NodeSet;
  /** How many inputs of live nodes, and outputs, a node is, where that changes. */
  readonly uses: NodeNumbers;
  readonly pinned: PinnedValues;
  readonly #base: LiveNodes;
  readonly #known: NewlyKnown;
  /** Whether a loop lost a reader: it may only keep itself alive. */
  #isUnsure = false;

  /** @param known - the constants that become known with the pins */
  constructor(base: LiveNodes, pins: Pins, known: NewlyKnown, tables: TrialTables) {
    this.#base = base;
    tables.clear();
    this.dead = tables.dead;
    this.gone = tables.gone;
    this.uses = tables.uses;
    this.#known = known;
    this.pinned = new PinnedValues(base.graph, pins, base.pinned);
    const decided = this.#decided();
    const merges = this.#kill(decided);
    this.#release(new Set([...decided, ...merges, ...this.#computed()]));
    if (this.#isUnsure) this.#walkAll();
  }

  numberAt(ref: TensorRef): number | undefined {
    return this.pinned.of(ref) ?? numberOf(this.#known.get(refText(ref))?.value) ?? this.#base.numberAt(ref);
  }

  isDead(ref: TensorRef): boolean {
    return this.deadPorts.get(ref.node) === ref.port || this.#base.isDead(ref) || this.isDeadNode(this.#node(ref.node));
  }

  isDeadNode(node: Node | undefined): boolean {
    return this.dead.has(node) || this.#base.isDeadNode(node);
  }

  /** The Switches and Selects whose condition becomes known. */
  #decided(): Node[] {
    const refs = new Map([...this.#known.values()].map(({ ref }) => [refText(ref), ref]));
    for (const ref of this.pinned.found) refs.set(refText(ref), ref);
    return [...refs].flatMap(([key, ref]) => {
      if (this.numberAt(ref) === undefined || this.#base.numberAt(ref) !== undefined) return [];
      return this.#base.graph.consumers(ref).filter((node) => {
        const condition = conditionOf(node);
        return condition !== undefined && refText(condition) === key;
      });
    });
  }

  /** Nodes whose value becomes known, or that may output one of their inputs now. */
  #computed(): Node[] {
    const { graph } = this.#base;
    const known = this.pinned.found.flatMap(({ node }) => graph.find(node) ?? []);
    const readers = this.pinned.found.flatMap((ref) => graph.consumers(ref));
    // A sum may read the product that a flag is a factor of.
    const next = readers.filter((node) => this.pinned.forwarded(node)).flatMap(({ name }) => graph.dataConsumers(name));
    return [...known, ...readers, ...next].filter((node) => !isSwitch(node) && !isMerge(node));
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
