import type { Graph } from '../../graph/graph.js';
import { type Node, refText, sameRef, type TensorRef } from '../../graph/node.js';
import type { NodeSet } from '../../graph/node_set.js';
import { sourceOf } from '../../graph/walk.js';
import { anyOf, type Scalar, scalarOf } from '../../ops/meaning.js';
import { isElementCount } from '../state/steady_state.js';
import { evaluate, forwardsElement } from '../values/evaluate.js';
import { replicasOf } from '../values/replicas.js';
import type { Shapes } from '../values/shapes.js';
import { findActivations } from './activations.js';
import { isBatchAxisReduction } from './batch_statistics.js';

/** An element of a tensor: of an activation one value per example, of anything else one. */
type Sampled = number | readonly number[];

/** What a batch consists of, and which ops reduce it. */
export interface Batch {
  readonly activation: TensorRef;
  /** The values of the activation, one per example. */
  readonly samples: readonly number[];
  /** The value of any other activation. */
  readonly other: number;
  /** Number of elements that a reduction takes for one; undefined if unknown. */
  readonly count: number | undefined;
  readonly reductions: ReadonlySet<string>;
}

/** Number of elements in a batch of unknown size. */
export const UNKNOWN_COUNT = 1000;

/** Maximum number of nodes of an expression: moments have a few. */
const MAX_EXPRESSION = 200;

const TOLERANCE = 1e-8;

const isAverage = anyOf('average');
const isMean = anyOf('mean');
const scales = anyOf('multiply', 'divide');
const combinesReplicas = anyOf('across_replicas');
const forwardsSum = anyOf('identity', 'cast', 'reshape', 'enter');

/** The values of tensors for one batch. */
export class SampledBatch {
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
    this.#variance = average(batch.samples.map((value) => (value - this.#mean) ** 2));
  }

  /** Whether a tensor is the mean of the activation. */
  isMean(ref: TensorRef): boolean {
    return isClose(this.#statistic(ref), this.#mean);
  }

  /** The factor between the variance of the activation and a tensor; NaN if it has a value per example. */
  timesVariance(ref: TensorRef): number {
    return this.#statistic(ref) / this.#variance;
  }

  #statistic(ref: TensorRef): number {
    const value = this.#valueOf(ref);
    return typeof value === 'number' ? value : Number.NaN;
  }

  #valueOf(ref: TensorRef): Sampled {
    const key = refText(ref);
    const known = this.#values.get(key);
    if (known !== undefined) return known;
    // What is beyond a long expression, or in a cycle, is any activation.
    this.#values.set(key, this.#others());
    const value = this.#values.size > MAX_EXPRESSION ? this.#others() : this.#compute(ref);
    this.#values.set(key, value);
    return value;
  }

  #compute(ref: TensorRef): Sampled {
    if (sameRef(ref, this.#batch.activation)) return this.#batch.samples;
    const node = this.#graph.get(ref.node);
    if (!this.#activations.has(node)) return this.#parameter(ref);
    const first = node.inputs.find((input) => this.#activations.hasNamed(input.node));
    if (!first) return this.#others();
    if (isAverage(node)) return this.#reduced(node, this.#valueOf(first));
    const sum = this.#sumScaledBy(node, first);
    if (sum !== undefined) return sum;
    const scalar = scalarOf(node.op);
    if (scalar)
      return mapped(
        scalar,
        node.inputs.map((input) => this.#valueOf(input)),
      );
    if (!forwardsElement(node)) return this.#others();
    const value = this.#valueOf(first);
    return combinesReplicas(node) ? mapped((a) => a! * replicasOf(this.#graph, node), [value]) : value;
  }

  /** Constants and weights; the number of elements where they count. */
  #parameter(ref: TensorRef): number {
    return evaluate(this.#graph, ref, (leaf) => (isElementCount(this.#graph, leaf) ? this.#count : undefined));
  }

  /** Any other activation. It has the same value everywhere: as weights of moments, such numbers change nothing. */
  #others(): readonly number[] {
    return this.#batch.samples.map(() => this.#batch.other);
  }

  #reduced(node: Node, operand: Sampled): Sampled {
    if (typeof operand === 'number') return isMean(node) ? operand : Number.NaN;
    const isOverBatch = this.#batch.reductions.has(node.name) || isBatchAxisReduction(this.#graph, this.#shapes, node);
    if (!isOverBatch) return isMean(node) ? operand.map(() => average(operand)) : this.#others();
    return average(operand) * (isMean(node) ? 1 : this.#count);
  }

  /** The average where a sum over the batch is scaled, if it is unknown how many elements the sum has. */
  #sumScaledBy(node: Node, data: TensorRef): number | undefined {
    if (this.#batch.count !== undefined || !scales(node)) return undefined;
    if (node.inputs.filter((ref) => this.#activations.hasNamed(ref.node)).length > 1) return undefined;
    const sum = this.#graph.find(sourceOf(this.#graph, data, forwardsSum).node);
    if (!isAverage(sum) || isMean(sum)) return undefined;
    const value = this.#valueOf(data);
    return typeof value === 'number' ? value / this.#count : undefined;
  }
}

/** Whether two numbers are the same, up to the rounding of a computation. */
export function isClose(value: number, wanted: number): boolean {
  return Math.abs(value - wanted) <= TOLERANCE * Math.abs(wanted);
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** A function of elements, of each example where one has several. */
function mapped(scalar: Scalar, inputs: readonly Sampled[]): Sampled {
  const several = inputs.find((input): input is readonly number[] => typeof input !== 'number');
  const at = (index: number) => scalar(...inputs.map((input) => (typeof input === 'number' ? input : input[index]!)));
  return several ? several.map((_, index) => at(index)) : at(0);
}
