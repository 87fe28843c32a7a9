import type { Graph } from '../../graph/graph.js';
import { refText, type TensorRef } from '../../graph/node.js';
import { elementCount } from '../../graph/tensor.js';
import { anyOf } from '../../ops/meaning.js';
import { isElementwise } from '../state/assignments.js';
import { constantInts } from '../values/constants.js';
import type { Shapes } from '../values/shapes.js';
import { findActivations } from './activations.js';
import { isBatchAxisReduction } from './batch_statistics.js';
import { type Batch, isClose, SampledBatch, UNKNOWN_COUNT } from './sampled_batch.js';
import { SearchBudget } from './search_budget.js';
import type { UnfusedPattern } from './unfused.js';

/** The tensors that are the mean and the variance of what a batch norm normalises. */
export interface MomentTensors {
  readonly mean: readonly TensorRef[];
  readonly variance: readonly TensorRef[];
}

/**
 * Two batches. What holds for both is no coincidence: a sum with a small constant shows in the second, and so does another
 * activation as a factor, while weights of moments cancel out.
 */
const BATCHES: readonly Pick<Batch, 'samples' | 'other'>[] = [
  { samples: [-1.3, 0.4, 2.1, 0.9, 1.7], other: 1 },
  { samples: [-0.0011, 0.0007, 0.0031, -0.0023, 0.0004], other: 3 },
];

/** Maximum number of the statistics tried, and of the activations tried: moments have a few. */
const [MAX_STATISTICS, MAX_ACTIVATIONS] = [64, 16];

const isAverage = anyOf('average');
const takesPart = anyOf('slice', 'split', 'gather');

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
        (each) => new SampledBatch(this.#graph, this.#shapes, { ...each, reductions, activation, count }),
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
      const node = this.#graph.get(name);
      if (!(isElementwise(node) || isAverage(node) || takesPart(node))) continue;
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
  #countOf({ reductions }: UnfusedPattern): number | undefined {
    const { inputs } = this.#graph.get(reductions[0]!);
    const shape = this.#shapes.of(inputs[0]!);
    const axes = constantInts(this.#graph, inputs[1]);
    const sizes = shape && axes?.map((axis) => shape.at(axis) ?? -1);
    return sizes?.every((size) => size >= 0) ? elementCount(sizes) : undefined;
  }
}

/** Whether factors, one per batch, are those of a variance. */
function isVariance(factors: readonly number[], count: number | undefined): boolean {
  const factor = factors[0]!;
  if (!factors.every((each) => isClose(each, factor))) return false;
  const bessel = besselFactor(count ?? UNKNOWN_COUNT);
  if ([1, bessel].some((each) => isClose(factor, each))) return true;
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
