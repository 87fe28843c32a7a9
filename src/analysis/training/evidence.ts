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
import { isSameVariable, type Variable, type Variables } from '../state/variables.js';
import type { Shapes } from '../values/shapes.js';
import { isTrainingFused } from './batch_statistics.js';
import { readsValue } from './conditions.js';
import { mixedIn } from './mixed_statistics.js';
import { isSlot, isUnread } from './unread_variables.js';

/** A batch norm and its parameters. */
interface Parametrised {
  readonly name: string;
  /** Its scale and offset, if any. */
  readonly parameters: readonly TensorRef[];
}

/** The properties of a batch norm that help to find its statistics. */
export interface Described extends Parametrised {
  /** Its batch statistics. */
  readonly statistics: readonly TensorRef[];
}

/** A batch norm whose statistics are known. */
interface Sibling {
  readonly name: string;
  readonly statistics: Statistics;
}

const isFused = anyOf('fused_batch_norm');

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

/** So many pairs of statistics do not show which of them is meant. */
const AMBIGUOUS = 2;

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
  /** Scale or offset -> the batch norms that have it, one for each pair of statistics, of which two are enough. */
  readonly #siblings = new Map<string, Sibling[]>();
  /** The variables that are the statistics of a batch norm for certain. */
  readonly #taken = new Set<string>();

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
    this.#byKey = new Map([...variables.byNode.values()].map((variable) => [variable.key, variable]));
    for (const node of graph.nodes()) {
      if (!isFused(node) || isTrainingFused(node)) continue;
      const [mean, variance] = [3, 4].map((i) => node.inputs[i] && variables.valueAt(node.inputs[i]));
      if (!mean || !variance) continue;
      const parameters = node.inputs.slice(1, 3);
      this.remember({ name: node.name, parameters }, { mean, variance, evidence: { kind: 'input' } });
    }
  }

  /** Remembers a batch norm whose statistics are known: its siblings share its parameters. */
  remember({ name, parameters }: Parametrised, statistics: Statistics): void {
    this.#taken.add(statistics.mean.node).add(statistics.variance.node);
    for (const shared of this.#sources(parameters)) {
      const siblings = this.#siblings.get(shared) ?? [];
      if (siblings.length >= AMBIGUOUS || siblings.some((other) => isSamePair(other.statistics, statistics))) continue;
      this.#siblings.set(shared, [...siblings, { name, statistics }]);
    }
  }

  /**
   * The statistics of a batch norm without update ops; undefined without evidence.
   * @param isOfOne - its batch is always one example, which it may normalise intentionally, next to true batch norms
   */
  find(batchNorm: Described, isOfOne: boolean): Statistics | undefined {
    const channels = this.#channelsOf(batchNorm);
    const [sibling, another] = this.#ofSiblings(batchNorm);
    // Domains that share a scale, and have statistics of their own.
    if (another) return undefined;
    const isUpdating = this.#isUpdating(batchNorm);
    const named = sibling || isUpdating ? undefined : this.#named(batchNorm, channels);
    const found = sibling ?? (named && this.#areFree(named) ? named : undefined);
    if (!found && (isOfOne || isUpdating)) return undefined;
    if (found && isOfOne && !this.#areTrained(found)) return undefined;
    return this.#isPlain(batchNorm) ? (found ?? this.#fitting(channels)) : undefined;
  }

  /** Batch norms that share statistics found for each of them, but no scale or offset: they are those of one of them at most. */
  contested(found: readonly (Parametrised & { readonly statistics: Statistics })[]): ReadonlySet<string> {
    const owners = new Map<string, Parametrised[]>();
    for (const { name, parameters, statistics } of found) {
      for (const { node } of [statistics.mean, statistics.variance]) {
        const list = owners.get(node);
        if (list) list.push({ name, parameters });
        else owners.set(node, [{ name, parameters }]);
      }
    }
    const rivals = [...owners.values()].filter((all) => {
      const [first, ...others] = all.map(({ parameters }) => this.#sources(parameters));
      return others.length > 0 && ![...first!].some((name) => others.every((other) => other.has(name)));
    });
    return new Set(rivals.flat().map(({ name }) => name));
  }

  /**
   * Whether variables hold statistics for a batch norm, although nothing shows which: vectors that nothing reads, or that it updates, or
   * those of several siblings.
   */
  mayHaveStatistics(batchNorm: Described): boolean {
    if (this.#isUpdating(batchNorm) || this.#ofSiblings(batchNorm).length > 1) return true;
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
    return mixedIn(this.#graph, this.#shapes, statistics, this.#feeding).every(
      (ref) => own.has(source(ref)) || this.#shapes.of(ref)?.length === 0,
    );
  }

  /** Whether no other batch norm uses statistics. */
  #areFree({ mean, variance }: Statistics): boolean {
    return !this.#taken.has(mean.node) && !this.#taken.has(variance.node);
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
      // A number is no scale, but a factor of what comes next.
      return shape && shape.length > 0 && shape.every((size) => size >= 0) ? elementCount(shape) : undefined;
    });
    return sizes.find((size) => size !== undefined);
  }

  /** The statistics of its siblings, each pair once. */
  #ofSiblings({ parameters }: Described): Statistics[] {
    const found: Statistics[] = [];
    for (const shared of this.#sources(parameters)) {
      for (const { name, statistics } of this.#siblings.get(shared) ?? []) {
        if (found.some((other) => isSamePair(other, statistics))) continue;
        found.push({ ...statistics, evidence: { kind: 'sibling', batchNorm: name, shared } });
      }
    }
    return found;
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
    const [first, second, another] = this.#unread(channels);
    if (!first || !second || another) return undefined;
    const [isFirstSigned, isSecondSigned] = [first, second].map((variable) =>
      readDistinct(variableValue(variable, this.#checkpoint)).some((value) => value < 0),
    );
    if (isFirstSigned === isSecondSigned) return undefined;
    const [mean, variance] = isFirstSigned ? [first, second] : [second, first];
    return { mean, variance, evidence: { kind: 'shape', channels } };
  }

  /** The vectors of that size that nothing in the graph reads. */
  #unread(channels: number): Variable[] {
    this.#free ??= [...this.#variables.byNode.values()].filter(
      (variable) =>
        variable.shape?.length === 1 &&
        !isSlot(this.#variables, variable) &&
        !this.#updates.updated.has(variable.node) &&
        isUnread(this.#graph, variable, (node) => this.#feeding.has(node)),
    );
    return this.#free.filter(({ shape }) => shape![0] === channels);
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

function isSamePair(a: Statistics, b: Statistics): boolean {
  return isSameVariable(a.mean, b.mean) && isSameVariable(a.variance, b.variance);
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
