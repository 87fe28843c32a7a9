import type { Graph } from '../../graph/graph.js';
import { type Node, refText, sameRef, type TensorRef } from '../../graph/node.js';
import type { NodeSet } from '../../graph/node_set.js';
import { elementCount } from '../../graph/tensor.js';
import { sourceOf } from '../../graph/walk.js';
import { anyOf, type Scalar, scalarOf } from '../../ops/meaning.js';
import { isElementwise } from '../state/assignments.js';
import { isElementCount } from '../state/steady_state.js';
import { constantInts } from '../values/constants.js';
import { evaluate, forwardsElement } from '../values/evaluate.js';
import { replicasOf } from '../values/replicas.js';
import type { Shapes } from '../values/shapes.js';
import { findActivations } from './activations.js';
import { isBatchAxisReduction, isTrainingFused } from './batch_statistics.js';
import { SearchBudget } from './search_budget.js';
import type { UnfusedPattern } from './unfused.js';

/** The tensors that are the mean and the variance of what a batch norm normalises. */
export interface MomentTensors {
  readonly mean: readonly TensorRef[];
  readonly variance: readonly TensorRef[];
}

/** An element of a tensor: of an activation one value per example, of anything else one. */
type Sampled = number | readonly number[];

/** Two batches. What holds for both is no coincidence, and a sum with a small constant shows in the second. */
const BATCHES: readonly (readonly number[])[] = [
  [-1.3, 0.4, 2.1, 0.9, 1.7],
  [-0.0011, 0.0007, 0.0031, -0.0023, 0.0004],
];

/** Number of elements in a batch of unknown size. */
const UNKNOWN_COUNT = 1000;

const TOLERANCE = 1e-8;

/** Maximum number of nodes of an expression, of the statistics tried, and of the activations tried: moments have a few. */
const [MAX_EXPRESSION, MAX_STATISTICS, MAX_ACTIVATIONS] = [200, 64, 16];

const isAverage = anyOf('average');
const isMean = anyOf('mean');
const scales = anyOf('multiply', 'divide');
const takesPart = anyOf('slice', 'split', 'gather');
const combinesReplicas = anyOf('across_replicas');
const forwardsSum = anyOf('identity', 'cast', 'reshape', 'enter');

/**
 * Finds out what tensors are by evaluating them for known batches: the mean of an activation, its variance, or something
 * else, such as a multiple or the logarithm of a variance.
 */
export class SampledMoments {
  readonly #graph: Graph;
  readonly #shapes: Shapes;
  readonly #budget: SearchBudget;

  constructor(graph: Graph, shapes: Shapes) {
    this.#graph = graph;
    this.#shapes = shapes;
    this.#budget = new SearchBudget(graph);
  }

  /**
   * The tensors between the reductions and the root of a batch norm that are its mean and its variance, with or without
   * Bessel's correction; none if no activation has both.
   */
  of(pattern: UnfusedPattern): MomentTensors {
    const activations = this.#activationsOf(pattern);
    const statistics = this.#statisticsOf(pattern, activations);
    const reductions = new Set(pattern.reductions);
    const count = this.#countOf(pattern);
    for (const activation of activations) {
      this.#budget.spend(BATCHES.length * statistics.length, pattern.name);
      const batches = BATCHES.map(
        (samples) => new SampledBatch(this.#graph, this.#shapes, { reductions, activation, samples, count }),
      );
      const mean = statistics.filter((ref) => batches.every((batch) => batch.isMean(ref)));
      const variance = statistics.filter((ref) =>
        isVariance(
          batches.map((batch) => batch.timesVariance(ref)),
          count,
        ),
      );
      if (mean.length > 0 && variance.length > 0) return { mean, variance };
    }
    return { mean: [], variance: [] };
  }

  /** Its reductions, others over the same activations, and what elementwise ops make of them. */
  #statisticsOf({ reductions, mean, variance }: UnfusedPattern, activations: readonly TensorRef[]): TensorRef[] {
    const others = activations
      .flatMap((ref) => this.#graph.consumers(ref))
      .filter((node) => isBatchAxisReduction(this.#graph, this.#shapes, node));
    const from = [
      ...[...reductions, ...others.map(({ name }) => name)].map((node) => ({ node, port: 0 })),
      ...mean,
      ...variance,
    ];
    const found = new Map(from.map((ref) => [refText(ref), ref]));
    for (const ref of found.values()) {
      for (const node of this.#graph.consumers(ref)) {
        if (found.size >= MAX_STATISTICS) return [...found.values()];
        if (isElementwise(node)) found.set(node.name, { node: node.name, port: 0 });
      }
    }
    return [...found.values()];
  }

  /** What it normalises, and the activations that its reductions are computed from. */
  #activationsOf({ x, reductions }: UnfusedPattern): TensorRef[] {
    const activations = findActivations(this.#graph);
    const found = new Map([[refText(x), x]]);
    const seen = new Set([x.node, ...reductions]);
    for (const name of seen) {
      const node = this.#graph.find(name);
      if (!node || !(isElementwise(node) || isAverage(node) || takesPart(node))) continue;
      for (const input of node.inputs) {
        if (found.size === MAX_ACTIVATIONS) return [...found.values()];
        if (!activations.hasNamed(input.node)) continue;
        seen.add(input.node);
        found.set(refText(input), input);
      }
    }
    return [...found.values()];
  }

  /** The number of elements that its first reduction reduces to one; undefined if unknown. */
  #countOf({ reductions: [first] }: UnfusedPattern): number | undefined {
    const node = first === undefined ? undefined : this.#graph.find(first);
    const shape = node?.inputs[0] && this.#shapes.of(node.inputs[0]);
    const axes = node && constantInts(this.#graph, node.inputs[1]);
    const sizes = shape && axes?.map((axis) => shape.at(axis) ?? -1);
    return sizes?.every((size) => size >= 0) ? elementCount(sizes) : undefined;
  }
}

/** What a batch consists of, and which ops reduce it. */
interface Batch {
  readonly activation: TensorRef;
  /** The values of the activation, one per example. */
  readonly samples: readonly number[];
  /** Number of elements that a reduction takes for one; undefined if unknown. */
  readonly count: number | undefined;
  readonly reductions: ReadonlySet<string>;
}

/** The values of tensors for one batch. */
class SampledBatch {
  readonly #graph: Graph;
  readonly #shapes: Shapes;
  readonly #activations: NodeSet;
  readonly #batch: Batch;
  readonly #count: number;
  readonly #mean: number;
  readonly #variance: number;
  readonly #values = new Map<string, Sampled>();

  constructor(graph: Graph, shapes: Shapes, batch: Batch) {
    this.#graph = graph;
    this.#shapes = shapes;
    this.#activations = findActivations(graph);
    this.#batch = batch;
    this.#count = batch.count ?? UNKNOWN_COUNT;
    this.#mean = average(batch.samples);
    this.#variance = varianceOf(batch.samples);
  }

  isMean(ref: TensorRef): boolean {
    const value = this.#valueOf(ref);
    return typeof value === 'number' && isClose(value, this.#mean);
  }

  /** The factor between the variance and a tensor; NaN if it has a value per example. */
  timesVariance(ref: TensorRef): number {
    const value = this.#valueOf(ref);
    return typeof value === 'number' ? value / this.#variance : Number.NaN;
  }

  #valueOf(ref: TensorRef): Sampled {
    const key = refText(ref);
    const known = this.#values.get(key);
    if (known !== undefined) return known;
    // What is beyond a long expression, or in a cycle, is any activation.
    this.#values.set(key, this.#ones());
    const value = this.#values.size > MAX_EXPRESSION ? this.#ones() : this.#compute(ref);
    this.#values.set(key, value);
    return value;
  }

  #compute(ref: TensorRef): Sampled {
    const node = this.#graph.find(ref.node);
    if (sameRef(ref, this.#batch.activation)) return this.#batch.samples;
    if (!node) return this.#ones();
    if (!this.#activations.has(node)) return this.#parameter(ref);
    const first = node.inputs.find((ref) => this.#activations.hasNamed(ref.node));
    if (!first) return this.#ones();
    if (isTrainingFused(node)) return this.#ofFused(first, ref.port);
    if (isAverage(node)) return this.#reduced(node, first);
    const sum = this.#sumScaledBy(node);
    if (sum) return sum;
    const scalar = scalarOf(node.op);
    if (scalar)
      return mapped(
        scalar,
        node.inputs.map((input) => this.#valueOf(input)),
      );
    if (!forwardsElement(node)) return this.#ones();
    const value = this.#valueOf(first);
    return combinesReplicas(node) ? mapped((a) => a! * replicasOf(this.#graph, node), [value]) : value;
  }

  /** Constants and weights; the number of elements where they count. */
  #parameter(ref: TensorRef): number {
    return evaluate(this.#graph, ref, (leaf) => (isElementCount(this.#graph, leaf) ? this.#count : undefined));
  }

  /** Any other activation: as weights of moments, ones change nothing. */
  #ones(): readonly number[] {
    return this.#batch.samples.map(() => 1);
  }

  #ofFused(x: TensorRef, port: number): Sampled {
    const samples = this.#valueOf(x);
    if (port === 0 || typeof samples === 'number') return this.#ones();
    return port === 1 ? average(samples) : varianceOf(samples) * besselFactor(this.#count);
  }

  #reduced(node: Node, operand: TensorRef): Sampled {
    const value = this.#valueOf(operand);
    if (typeof value === 'number') return isMean(node) ? value : Number.NaN;
    const isOverBatch = this.#batch.reductions.has(node.name) || isBatchAxisReduction(this.#graph, this.#shapes, node);
    if (!isOverBatch) return isMean(node) ? value.map(() => average(value)) : this.#ones();
    return average(value) * (isMean(node) ? 1 : this.#count);
  }

  /** The average where a sum over the batch is scaled, if it is unknown how many elements the sum has. */
  #sumScaledBy(node: Node): Sampled | undefined {
    if (this.#batch.count !== undefined || !scales(node)) return undefined;
    const [data, another] = node.inputs.filter((ref) => this.#activations.hasNamed(ref.node));
    if (!data || another) return undefined;
    const sum = this.#graph.find(sourceOf(this.#graph, data, forwardsSum).node);
    if (!isAverage(sum) || isMean(sum!)) return undefined;
    const value = this.#valueOf(data);
    return typeof value === 'number' ? value / this.#count : undefined;
  }
}

/** Whether factors, one per batch, are those of a variance. */
function isVariance(factors: readonly number[], count: number | undefined): boolean {
  const factor = factors[0]!;
  if (!factors.every((each) => isClose(each, factor))) return false;
  const bessel = besselFactor(count ?? UNKNOWN_COUNT);
  if ([1, bessel, 1 / bessel].some((each) => isClose(factor, each))) return true;
  return count === undefined && isWrittenBesselFactor(factor);
}

/** Bessel's factors of less are multiples that somebody chose. */
const MIN_COUNT = 4;

/**
 * Whether a constant is n / (n - 1) of an unknown whole number n. A short decimal such as 1.1 or 1.05 is a number that
 * somebody chose, although these are 11 / 10 and 21 / 20.
 */
function isWrittenBesselFactor(factor: number): boolean {
  const rest = 1 / (factor - 1);
  const isWhole = Math.abs(rest - Math.round(rest)) <= 1e-6 * rest * rest;
  const short = Number(factor.toPrecision(5));
  return isWhole && Math.round(rest) >= MIN_COUNT - 1 && Math.abs(factor - short) > 1e-6;
}

function besselFactor(count: number): number {
  return count / (count - 1);
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function varianceOf(values: readonly number[]): number {
  const mean = average(values);
  return average(values.map((value) => (value - mean) ** 2));
}

function isClose(value: number, wanted: number): boolean {
  return Math.abs(value - wanted) <= TOLERANCE * Math.abs(wanted);
}

/** A function of elements, of each example where one has several. */
function mapped(scalar: Scalar, inputs: readonly Sampled[]): Sampled {
  const length = inputs.find((input) => typeof input !== 'number')?.length;
  if (length === undefined) return scalar(...(inputs as readonly number[]));
  return Array.from({ length }, (_, i) =>
    scalar(...inputs.map((input) => (typeof input === 'number' ? input : input[i]!))),
  );
}
