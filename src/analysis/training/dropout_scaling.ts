import type { Graph } from '../../graph/graph.js';
import type { Node, TensorRef } from '../../graph/node.js';
import { anyOf } from '../../ops/meaning.js';
import type { RandomFactors } from './random_factors.js';

/** A random mask on data. */
export interface Mask {
  /** The op that applies it. */
  readonly node: Node;
  /** What it is applied to. */
  readonly x: TensorRef;
  /** Its mean: the probability that an element is kept, if it is 0 or 1. */
  readonly mean: number;
  /** The largest relative error that its constants have because their dtype rounds them. */
  readonly roundoff: number;
}

/** What a mask and the scaling that cancels it do together: `output` is `x` at inference. */
export interface Unscaled {
  readonly output: string;
  readonly x: TensorRef;
  /** The op that scales, if not the mask itself. */
  readonly scaling?: string;
}

const isMultiply = anyOf('multiply');
const isDivision = anyOf('divide');

/** Factor and mean are single numbers: they match up to the rounding of float32. */
const TOLERANCE = 1e-4;

/** The tensor before dropout and the op after it, when scaling and mask cancel out on average. */
export function unscaled(
  graph: Graph,
  factors: RandomFactors,
  claimed: ReadonlySet<string>,
  mask: Mask,
): Unscaled | undefined {
  const { node, x } = mask;
  // If dropouts follow each other, a scaling belongs to one of them.
  const before = claimed.has(x.node) ? undefined : scaling(graph, factors, x);
  if (before && cancel(mask, before)) return { output: node.name, x: before.x, scaling: x.node };
  // The scaling may come after the mask.
  const after = factors.soleReader(node, claimed);
  const scaled = after && scaling(graph, factors, { node: after.name, port: 0 });
  if (after && scaled && scaled.x.node === node.name && cancel(mask, scaled)) {
    return { output: after.name, x, scaling: after.name };
  }
  return cancel(mask, { factor: 1, roundoff: 0 }) ? { output: node.name, x } : undefined;
}

interface Scaling {
  readonly x: TensorRef;
  readonly factor: number;
  /** The largest relative error of the factor because its dtype rounds it. */
  readonly roundoff: number;
}

/**
 * Whether a mask times a factor is 1 on average. In a narrow dtype, the rate and 1 / (1 - rate) were rounded apart from each
 * other: the mean of the mask may be off by half a unit in the last place of the rate or of 1 - rate.
 */
function cancel(
  { mean, roundoff }: Mask,
  { factor, roundoff: ofFactor }: Pick<Scaling, 'factor' | 'roundoff'>,
): boolean {
  const error = Math.abs(factor) * roundoff * Math.max(powerOfTwo(mean), powerOfTwo(1 - mean));
  return Math.abs(factor * mean - 1) < TOLERANCE + error + Math.abs(factor * mean) * ofFactor;
}

/** The largest power of two that is not greater than a number: in this range, a dtype rounds alike. */
function powerOfTwo(x: number): number {
  return x === 0 ? 0 : 2 ** Math.floor(Math.log2(Math.abs(x)));
}

/** A tensor as `x` times a scalar. */
function scaling(graph: Graph, factors: RandomFactors, ref: TensorRef): Scaling | undefined {
  const node = graph.find(ref.node);
  if (!node || ref.port !== 0) return undefined;
  const [a, b] = node.inputs;
  const by = (x: TensorRef, parameter: TensorRef, factor: (value: number) => number): Scaling | undefined => {
    if (!factors.isParameter(parameter)) return undefined;
    return { x, factor: factor(factors.valueOf(parameter)), roundoff: factors.roundoffOf(parameter) };
  };
  if (isDivision(node)) return by(a!, b!, (value) => 1 / value);
  return isMultiply(node) ? (by(a!, b!, (value) => value) ?? by(b!, a!, (value) => value)) : undefined;
}
