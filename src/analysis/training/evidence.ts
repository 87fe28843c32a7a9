import type { Graph } from '../../graph/graph.js';
import type { Checkpoint } from '../../graph/model.js';
import type { TensorRef } from '../../graph/node.js';
import type { NodeSet } from '../../graph/node_set.js';
import { elementCount, readDistinct } from '../../graph/tensor.js';
import { sourceOf } from '../../graph/walk.js';
import { anyOf } from '../../ops/meaning.js';
import { variableValue } from '../state/checkpoint_value.js';
import { checkHealth, type NamedValue } from '../state/health.js';
import type { Updates } from '../state/moving_averages.js';
import type { Statistics } from '../state/statistics.js';
import { statisticsOfUnknownUpdates } from '../state/unknown_updates.js';
import type { Variable, Variables } from '../state/variables.js';
import type { Shapes } from '../values/shapes.js';
import { isTrainingFused } from './batch_statistics.js';
import { readsValue } from './conditions.js';
import { mixedIn } from './mixed_statistics.js';

/** The properties of a batch norm that help to find its statistics. */
export interface Described {
  readonly name: string;
  /** Its scale and offset, if any. */
  readonly parameters: readonly TensorRef[];
  /** Its batch statistics. */
  readonly statistics: readonly TensorRef[];
}

const isFused = anyOf('fused_batch_norm');
const changes = anyOf('assign', 'update');
/** Ops that take a variable without using its value: savers and initialisers. */
const administers = anyOf('assign_set', 'save', 'initialised');

/** Common names of moving statistics, in pairs. */
const NAMES: readonly (readonly [string, string])[] = [
  ['moving_mean', 'moving_variance'],
  ['moving_mean', 'moving_var'],
  ['moving_avg', 'moving_var'],
  ['running_mean', 'running_variance'],
  ['running_mean', 'running_var'],
  ['pop_mean', 'pop_variance'],
  ['pop_mean', 'pop_var'],
  ['population_mean', 'population_variance'],
  ['mean', 'variance'],
  ['mean/EMA', 'variance/EMA'],
  ['moments/Squeeze/ExponentialMovingAverage', 'moments/Squeeze_1/ExponentialMovingAverage'],
  ['moments/mean/ExponentialMovingAverage', 'moments/variance/ExponentialMovingAverage'],
];

/** Number of scopes in which to search statistics by name: that of a batch norm and those around it. */
const SCOPES_AROUND = 2;

/**
 * Finds the statistics of batch norms whose update ops were stripped, the most reliable evidence first: a sibling with
 * the same scale or offset; names in its scopes; the only matching variables that nothing else uses.
 */
export class EvidenceFinder {
  readonly #graph: Graph;
  readonly #variables: Variables;
  readonly #checkpoint: Checkpoint | undefined;
  readonly #shapes: Shapes;
  readonly #updates: Updates;
  readonly #averaged: ReadonlySet<string>;
  /** The nodes that feed an output. */
  readonly #feeding: NodeSet;
  #updating: ReadonlySet<string> | undefined;
  #free: readonly Variable[] | undefined;
  readonly #byKey: ReadonlyMap<string | undefined, Variable>;
  /** Scale or offset -> the batch norm that has it, and its statistics. */
  readonly #siblings = new Map<string, { readonly name: string; readonly statistics: Statistics }>();

  constructor(
    graph: Graph,
    variables: Variables,
    checkpoint: Checkpoint | undefined,
    shapes: Shapes,
    updates: Updates,
    feeding: NodeSet,
  ) {
    this.#graph = graph;
    this.#variables = variables;
    this.#checkpoint = checkpoint;
    this.#shapes = shapes;
    this.#updates = updates;
    this.#feeding = feeding;
    this.#averaged = new Set([...updates.averages.values()].flat().map((average) => average.variable.node));
    this.#byKey = new Map([...variables.byNode.values()].reverse().map((variable) => [variable.key, variable]));
  }

  /** Remembers a batch norm whose statistics are known: its siblings share its parameters. */
  remember({ name, parameters }: Pick<Described, 'name' | 'parameters'>, statistics: Statistics): void {
    for (const parameter of this.#sources(parameters)) {
      if (!this.#siblings.has(parameter)) this.#siblings.set(parameter, { name, statistics });
    }
  }

  /**
   * The statistics of a batch norm without update ops; undefined without evidence.
   * @param isOfOne - its batch is always one example, which it may normalise intentionally, next to true batch norms
   */
  find(batchNorm: Described, isOfOne: boolean): Statistics | undefined {
    const channels = this.#channelsOf(batchNorm);
    const sibling = this.#ofSibling(batchNorm);
    const isUpdating = this.#isUpdating(batchNorm);
    const named = sibling || isUpdating ? undefined : this.#named(batchNorm, channels);
    const found = sibling ?? (named && (!isOfOne || this.#areFree(named)) ? named : undefined);
    if (!found) return isOfOne || isUpdating ? undefined : this.#fitting(channels);
    if (isOfOne && !this.#areTrained(found)) return undefined;
    return found.mean.value && !this.#isPlain(batchNorm) ? undefined : found;
  }

  /** Whether variables hold statistics for a batch norm, although nothing shows which: vectors that nothing reads, or that it updates. */
  mayHaveStatistics(batchNorm: Described): boolean {
    if (this.#isUpdating(batchNorm)) return true;
    const channels = this.#channelsOf(batchNorm);
    return channels !== undefined && this.#unread(channels).length > 1;
  }

  /** Whether its batch statistics update a variable in a way that is not recognised. */
  #isUpdating({ statistics }: Described): boolean {
    this.#updating ??= statisticsOfUnknownUpdates(this.#graph, this.#variables, this.#updates.averages);
    return statistics.some(({ node }) => this.#updating!.has(node));
  }

  /** Whether only one scale and one offset are combined with its batch statistics: no corrections, no moving statistics. */
  #isPlain({ parameters, statistics }: Described): boolean {
    const source = (ref: TensorRef) => sourceOf(this.#graph, ref, readsValue).node;
    const own = new Set(parameters.map(source));
    if (own.size > 2) return false;
    return mixedIn(this.#graph, this.#shapes, statistics).every(
      (ref) => own.has(source(ref)) || this.#shapes.of(ref)?.length === 0,
    );
  }

  /** Whether no other batch norm uses statistics. */
  #areFree({ mean, variance }: Statistics): boolean {
    const own = [mean.node, variance.node];
    const remembered = [...this.#siblings.values()].map(({ statistics }) => statistics);
    if (remembered.some((other) => own.includes(other.mean.node) || own.includes(other.variance.node))) return false;
    return ![...this.#graph.nodes()].some(
      (node) =>
        isFused(node) && node.inputs.slice(3, 5).some((ref) => own.includes(this.#variables.valueAt(ref)?.node ?? '')),
    );
  }

  #areTrained({ mean, variance }: Statistics): boolean {
    const [m, v] = [mean, variance].map((each) => ({
      name: each.node,
      value: () => variableValue(each, this.#checkpoint),
    })) as [NamedValue, NamedValue];
    return checkHealth(m, v).problem === undefined;
  }

  /** Number of channels, from its scale or its batch statistics; undefined if unknown. */
  #channelsOf({ parameters, statistics }: Described): number | undefined {
    const sizes = [...parameters.slice(0, 1), ...statistics].map((ref) => {
      const shape = this.#shapes.of(ref);
      return shape?.every((size) => size >= 0) ? elementCount(shape) : undefined;
    });
    return sizes.find((size) => size !== undefined);
  }

  #ofSibling({ parameters }: Described): Statistics | undefined {
    const own = this.#sources(parameters);
    if (own.size === 0) return undefined;
    for (const shared of own) {
      const sibling = this.#siblings.get(shared);
      if (!sibling) continue;
      return { ...sibling.statistics, evidence: { kind: 'sibling', batchNorm: sibling.name, shared } };
    }
    for (const node of this.#graph.nodes()) {
      if (!isFused(node) || isTrainingFused(node)) continue;
      const shared = [...this.#sources(node.inputs.slice(1, 3))].find((name) => own.has(name));
      const [mean, variance] = [3, 4].map((i) => node.inputs[i] && this.#variables.valueAt(node.inputs[i]));
      if (!shared || !mean || !variance) continue;
      return { mean, variance, evidence: { kind: 'sibling', batchNorm: node.name, shared } };
    }
    return undefined;
  }

  /** Names of the variables that parameters are read from. */
  #sources(refs: readonly TensorRef[]): Set<string> {
    const names = refs.map((ref) => sourceOf(this.#graph, ref, readsValue).node);
    return new Set(names.filter((name) => this.#identifies(name)));
  }

  /** Whether a node is the parameter of one batch norm and its siblings: equal constants may be shared by others. */
  #identifies(name: string): boolean {
    const variable = this.#variables.named(name);
    if (!variable?.value) return variable !== undefined;
    const numbers = readDistinct(variable.value);
    return numbers.some((number) => number !== numbers[0]);
  }

  #named(batchNorm: Described, channels: number | undefined): Statistics | undefined {
    for (const scope of this.#scopes(batchNorm)) {
      for (const [meanName, varianceName] of NAMES) {
        const mean = this.#byName(`${scope}${meanName}`);
        const variance = this.#byName(`${scope}${varianceName}`);
        if (mean?.value && meanName === 'mean') continue; // Too common as the name of a constant.
        if (!mean || !variance || !hasChannels(mean, channels) || !hasChannels(variance, channels)) continue;
        return { mean, variance, evidence: { kind: 'name' } };
      }
    }
    return undefined;
  }

  /** The only two vectors of that size that nothing in the graph reads; the one with negative values is the mean. */
  #fitting(channels: number | undefined): Statistics | undefined {
    if (channels === undefined || !this.#checkpoint) return undefined;
    const free = this.#unread(channels);
    const [first, second] = free;
    if (!first || !second || free.length !== 2) return undefined;
    const [isFirstSigned, isSecondSigned] = free.map((variable) =>
      readDistinct(variableValue(variable, this.#checkpoint)).some((value) => value < 0),
    );
    if (isFirstSigned === isSecondSigned) return undefined;
    const [mean, variance] = isFirstSigned ? [first, second] : [second, first];
    return { mean, variance, evidence: { kind: 'shape', channels } };
  }

  /** The vectors of that size that nothing in the graph reads. */
  #unread(channels: number): Variable[] {
    this.#free ??= [...this.#variables.byNode.values()].filter(
      (variable) => variable.shape?.length === 1 && !this.#isSlot(variable) && this.#isUnread(variable),
    );
    return this.#free.filter(({ shape }) => shape![0] === channels);
  }

  /** Whether a variable is named as belonging to another: an optimizer's slot, the moving average of a weight. */
  #isSlot({ node }: Variable): boolean {
    return this.#variables.byNode.has(parentScope(node).slice(0, -1));
  }

  /** Whether only savers, initialisers and ops that feed nothing take a variable. */
  #isUnread(variable: Variable): boolean {
    if (variable.key === undefined || this.#updates.updated.has(variable.node)) return false;
    const holders = new Set([variable.node]);
    const ends = new Set<string>();
    for (const holder of holders) {
      for (const node of this.#graph.dataConsumers(holder)) {
        if (administers(node)) continue;
        if (readsValue(node)) holders.add(node.name);
        else if (this.#feeding.has(node)) return false;
        else ends.add(node.name);
      }
    }
    // What is left of removed update ops feeds nothing.
    for (const end of ends) {
      if (changes(this.#graph.get(end))) return false;
      for (const node of this.#graph.dataConsumers(end)) ends.add(node.name);
    }
    return true;
  }

  /** Scopes to search: those of its scale and offset, then its own and the enclosing ones. */
  #scopes({ name, parameters }: Described): Iterable<string> {
    const scopes = parameters.map((ref) => parentScope(sourceOf(this.#graph, ref, readsValue).node));
    let scope = parentScope(name);
    for (let level = 0; level <= SCOPES_AROUND && scope !== ''; level++) {
      scopes.push(scope);
      scope = parentScope(scope.slice(0, -1));
    }
    return new Set(scopes);
  }

  /** The variable or checkpoint key of a name; undefined if an op updates it with anything other than an average. */
  #byName(name: string): Variable | undefined {
    const known = this.#variables.byNode.get(name) ?? this.#byKey.get(name);
    if (known) {
      const { updated } = this.#updates;
      return updated.has(known.node) && !this.#averaged.has(known.node) ? undefined : known;
    }
    return this.#variables.ofKey(name, this.#checkpoint) ?? this.#variables.named(name);
  }
}

/** Whether a variable has that many channels; where the number is unknown, whether it is a vector. */
function hasChannels({ shape }: Variable, channels: number | undefined): boolean {
  if (!shape) return true;
  return channels === undefined ? shape.filter((size) => size !== 1).length <= 1 : elementCount(shape) === channels;
}

/** The scope of a name, with its slash; empty at the top. */
function parentScope(name: string): string {
  return name.slice(0, name.lastIndexOf('/') + 1);
}
