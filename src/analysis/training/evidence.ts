import { attrBool } from '../../graph/attrs.js';
import type { Graph } from '../../graph/graph.js';
import type { Checkpoint } from '../../graph/model.js';
import type { TensorRef } from '../../graph/node.js';
import { elementCount, readNumbers } from '../../graph/tensor.js';
import { sourceOf } from '../../graph/walk.js';
import { anyOf } from '../../ops/meaning.js';
import { variableValue } from '../state/checkpoint_value.js';
import type { Updates } from '../state/moving_averages.js';
import type { Statistics } from '../state/statistics.js';
import type { Variable, Variables } from '../state/variables.js';
import type { Shapes } from '../values/shapes.js';

/** What is known of a batch norm whose update ops are gone. */
export interface Orphan {
  readonly name: string;
  /** Its scale and offset, as far as it has them. */
  readonly parameters: readonly TensorRef[];
  /** Number of channels; undefined where it is not known. */
  readonly channels: number | undefined;
}

const reads = anyOf('identity', 'read', 'switch', 'enter', 'cast', 'reshape');
const isFused = anyOf('fused_batch_norm');
/** Ops that a variable has whether or not the net uses it. */
const keeps = anyOf('assign', 'save', 'initialised');

/** How people call moving statistics, in pairs. */
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

/**
 * Looks for the statistics of batch norms whose update ops were stripped, in the order of trust: a sibling in inference
 * mode that has the same scale or offset; the names around it; variables that nobody else uses and that alone fit.
 */
export class EvidenceFinder {
  readonly #graph: Graph;
  readonly #variables: Variables;
  readonly #checkpoint: Checkpoint | undefined;
  readonly #shapes: Shapes;
  readonly #updates: Updates;
  readonly #averaged: ReadonlySet<string>;
  /** Scale or offset -> the statistics of a repaired site that has it. */
  readonly #paired = new Map<string, { name: string; statistics: Statistics }>();

  constructor(
    graph: Graph,
    variables: Variables,
    checkpoint: Checkpoint | undefined,
    shapes: Shapes,
    updates: Updates,
  ) {
    this.#graph = graph;
    this.#variables = variables;
    this.#checkpoint = checkpoint;
    this.#shapes = shapes;
    this.#updates = updates;
    this.#averaged = new Set([...updates.averages.values()].flat().map((average) => average.variable.node));
  }

  /** Remembers a site whose update ops tell its statistics: its twins share its parameters. */
  remember(orphan: Orphan, statistics: Statistics): void {
    for (const parameter of this.#sources(orphan.parameters)) {
      if (!this.#paired.has(parameter)) this.#paired.set(parameter, { name: orphan.name, statistics });
    }
  }

  find(orphan: Orphan): Statistics | undefined {
    return this.#sibling(orphan) ?? this.#named(orphan) ?? this.#fitting(orphan);
  }

  /** Number of channels of a scale, an offset or an activation's last statistics. */
  channelsOf(ref: TensorRef | undefined): number | undefined {
    const shape = ref && this.#shapes.of(ref);
    return shape?.every((size) => size >= 0) ? elementCount(shape) : undefined;
  }

  #sibling(orphan: Orphan): Statistics | undefined {
    const own = this.#sources(orphan.parameters);
    if (own.size === 0) return undefined;
    for (const parameter of own) {
      const twin = this.#paired.get(parameter);
      if (!twin) continue;
      return { ...twin.statistics, evidence: { kind: 'sibling', batchNorm: twin.name, shared: parameter } };
    }
    for (const node of this.#graph.nodes()) {
      if (!isFused(node) || (attrBool(node, 'is_training') ?? true)) continue;
      const shared = [...this.#sources(node.inputs.slice(1, 3))].find((name) => own.has(name));
      const mean = node.inputs[3] && this.#variables.readBy(node.inputs[3]);
      const variance = node.inputs[4] && this.#variables.readBy(node.inputs[4]);
      if (!shared || !mean || !variance) continue;
      return { mean, variance, evidence: { kind: 'sibling', batchNorm: node.name, shared } };
    }
    return undefined;
  }

  /** Names of the variables that parameters are read from. */
  #sources(refs: readonly TensorRef[]): Set<string> {
    const names = new Set<string>();
    for (const ref of refs) {
      const { node } = sourceOf(this.#graph, ref, reads);
      if (this.#variables.byNode.has(node)) names.add(node);
    }
    return names;
  }

  #named(orphan: Orphan): Statistics | undefined {
    for (const scope of this.#scopes(orphan)) {
      for (const [meanName, varianceName] of NAMES) {
        const mean = this.#byName(`${scope}${meanName}`);
        const variance = this.#byName(`${scope}${varianceName}`);
        if (!mean || !variance || !fits(mean, orphan.channels) || !fits(variance, orphan.channels)) continue;
        return { mean, variance, evidence: { kind: 'name' } };
      }
    }
    return undefined;
  }

  /** The only two vectors of its size that nothing in the graph reads; the one with negative values is the mean. */
  #fitting(orphan: Orphan): Statistics | undefined {
    if (orphan.channels === undefined || !this.#checkpoint) return undefined;
    const free = [...this.#variables.byNode.values()].filter(
      (variable) => variable.shape?.length === 1 && variable.shape[0] === orphan.channels && this.#isUnread(variable),
    );
    const [first, second] = free;
    if (!first || !second || free.length !== 2) return undefined;
    const signed = free.map((variable) =>
      readNumbers(variableValue(variable, this.#checkpoint)).some((value) => value < 0),
    );
    if (signed[0] === signed[1]) return undefined;
    const [mean, variance] = signed[0] ? [first, second] : [second, first];
    return { mean, variance, evidence: { kind: 'shape', channels: orphan.channels } };
  }

  /** Whether nothing but savers, initialisers and its own read op looks at a variable. */
  #isUnread(variable: Variable): boolean {
    const readers = (name: string): boolean =>
      this.#graph.dataConsumers(name).every((node) => {
        if (keeps(node)) return true;
        return reads(node) && readers(node.name);
      });
    return variable.key !== undefined && !this.#updates.updated.has(variable.node) && readers(variable.node);
  }

  /** Scopes to look in: those of its scale and offset, then its own and the ones around it. */
  #scopes(orphan: Orphan): string[] {
    const scopes: string[] = [];
    for (const ref of orphan.parameters) scopes.push(parent(sourceOf(this.#graph, ref, reads).node));
    let scope = parent(orphan.name);
    for (let level = 0; level < 3 && scope !== ''; level++, scope = parent(scope.slice(0, -1))) scopes.push(scope);
    return [...new Set(scopes)];
  }

  /** Whether an op updates a variable with something else than an average: its name means nothing then. */
  #isOtherwiseUpdated(variable: Variable): boolean {
    return this.#updates.updated.has(variable.node) && !this.#averaged.has(variable.node);
  }

  #byName(name: string): Variable | undefined {
    const known =
      this.#variables.byNode.get(name) ?? [...this.#variables.byNode.values()].find(({ key }) => key === name);
    if (known) return this.#isOtherwiseUpdated(known) ? undefined : known;
    const entry = this.#checkpoint?.entries.get(name);
    if (!entry) return undefined;
    const { dtype, shape } = entry;
    return { node: name, kind: 'ref', dtype, shape, key: name, slice: undefined, evidence: 'name' };
  }
}

function fits(variable: Variable, channels: number | undefined): boolean {
  return channels === undefined || !variable.shape || elementCount(variable.shape) === channels;
}

/** The scope of a name, with its slash; empty at the top. */
function parent(name: string): string {
  return name.slice(0, name.lastIndexOf('/') + 1);
}
