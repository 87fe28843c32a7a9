import { BnfixError } from '../../errors.js';
import type { Graph } from '../../graph/graph.js';
import type { Node, TensorRef } from '../../graph/node.js';
import { NodeNumbers } from '../../graph/node_numbers.js';
import { NodeSet } from '../../graph/node_set.js';
import { ancestors, descendants, hasLoops } from '../../graph/walk.js';
import { anyOf } from '../../ops/meaning.js';
import type { Pins } from '../values/constants.js';
import type { PinnedConstants } from '../values/pinned_constants.js';
import type { PinnedValues } from '../values/pinned_values.js';
import { type Branches, type BranchState, neededInputs } from './branches.js';
import { PinTrial, TrialTables } from './pin_trial.js';

const isNextIteration = anyOf('next_iteration');

/** How many nodes all trials may visit, plus so many per node of the graph. */
const [VISITS, VISITS_PER_NODE] = [2_000_000, 80];

/**
 * The nodes that feed the outputs of a graph while more and more flags are pinned. A trial walks only through the part
 * that a pin changes, so that thousands of independent flags cost as much as a few.
 */
export class LiveNodes implements BranchState {
  readonly graph: Graph;
  readonly outputs: readonly TensorRef[];
  /** The nodes that feed the outputs with the first pins. */
  readonly first: NodeSet;
  readonly #constants: PinnedConstants;
  readonly pinned: PinnedValues;
  readonly #gone: NodeSet;
  readonly #dead: NodeSet;
  readonly #deadPorts: Map<string, 0 | 1>;
  readonly #uses: NodeNumbers;
  readonly #looping: NodeSet;
  readonly #tables: TrialTables;
  #visits: number;

  /**
   * @param branches - what the first pins leave; not to be used any more
   * @param first - the nodes that then feed the outputs
   */
  constructor(graph: Graph, outputs: readonly TensorRef[], branches: Branches, first: NodeSet) {
    this.graph = graph;
    this.outputs = outputs;
    this.first = first;
    this.#constants = branches.constants;
    this.pinned = branches.pinned;
    this.#gone = new NodeSet(graph);
    this.#dead = branches.deadNodes;
    this.#deadPorts = branches.deadPorts;
    this.#looping = loopingNodes(graph);
    this.#uses = new NodeNumbers(graph);
    this.#tables = new TrialTables(graph);
    this.#visits = VISITS + VISITS_PER_NODE * graph.size;
    const use = (node: Node | undefined) => node && this.#uses.set(node, this.uses(node) + 1);
    for (const { node } of outputs) use(graph.find(node));
    for (const node of this.first) for (const input of neededInputs(graph, branches, node)) use(input);
  }

  numberAt(ref: TensorRef): number | undefined {
    return this.pinned.of(ref) ?? this.#constants.numberAt(ref);
  }

  isDead(ref: TensorRef): boolean {
    return this.#deadPorts.get(ref.node) === ref.port || this.#dead.hasNamed(ref.node);
  }

  isDeadNode(node: Node | undefined): boolean {
    return this.#dead.has(node);
  }

  /** Whether a node feeds the outputs. */
  isLive(node: Node): boolean {
    return this.first.has(node) && !this.#gone.has(node);
  }

  /** How many inputs of live nodes, and outputs, a live node is. */
  uses(node: Node): number {
    return this.#uses.get(node) ?? 0;
  }

  /** Whether a node may feed itself, through a loop. */
  isLooping(node: Node): boolean {
    return this.#looping.has(node);
  }

  /**
   * The nodes that no longer feed the outputs if some more nodes are pinned.
   * @throws BnfixError `unsupported` when thousands of flags are in each other's branches
   */
  withoutPinned(pins: Pins): readonly Node[] {
    const trial = new PinTrial(this, pins, this.#constants.newlyKnown(pins), this.#tables);
    this.#visits -= trial.uses.nodes.size + trial.dead.size;
    if (this.#visits < 0) throw tooManyFlags([...pins.keys()][0]!);
    return [...trial.gone];
  }

  /** Pins some more nodes, for good. */
  pin(pins: Pins): void {
    const known = this.#constants.newlyKnown(pins);
    const trial = new PinTrial(this, pins, known, this.#tables);
    this.#constants.learn(known);
    this.pinned.learn(trial.pinned);
    for (const node of trial.dead) this.#dead.add(node);
    for (const [name, port] of trial.deadPorts) this.#deadPorts.set(name, port);
    for (const node of trial.gone) this.#gone.add(node);
    for (const node of trial.uses.nodes) this.#uses.set(node, trial.uses.get(node)!);
  }
}

function tooManyFlags(node: string): BnfixError {
  return new BnfixError('unsupported', 'the graph has too many flags inside of branches of other flags', {
    where: node,
    why: 'trying each of them would take too long',
    fix: { option: 'set', value: `${node}=false`, text: 'sets a flag; set the outermost ones' },
  });
}

/** The nodes between the beginning of a loop and its end. */
function loopingNodes(graph: Graph): NodeSet {
  if (!hasLoops(graph)) return new NodeSet(graph);
  const ends = [...graph.nodes()].filter((node) => isNextIteration(node)).map(({ name }) => name);
  const before = ancestors(graph, ends, false);
  return new NodeSet(
    graph,
    [...descendants(graph, ends)].filter((node) => before.has(node)),
  );
}
