import { attrString } from '../../../graph/attrs.js';
import type { Site } from './site.js';

/**
 * TensorFlow.js repeats the matrices of the smaller batch one after the other, which is right only if its dimensions are the last ones
 * of the larger batch. Otherwise both get all dimensions first.
 */
export function broadcastBatches(site: Site): void {
  const [a, b] = site.shapes;
  if (!a || !b || isSuffix(batchOf(a), batchOf(b)) || isSuffix(batchOf(b), batchOf(a))) return;
  const zeros = (index: number) => {
    const rank = site.rank(index);
    const sizes = [...new Array<number>(rank - 2).fill(-1), 1, 1];
    const each = site.add('Slice', [site.input(index), site.ints(new Array<number>(rank).fill(0)), site.ints(sizes)]);
    return site.add('ZerosLike', [each]);
  };
  const inputs = [site.add('AddV2', [site.input(0), zeros(1)]), site.add('AddV2', [site.input(1), zeros(0)])];
  site.become('BatchMatMulV2', inputs, site.node.attr);
}

/** TensorFlow.js knows neither three tensors nor an ellipsis. */
export function checkEquation(site: Site): void {
  const equation = attrString(site.node, 'equation') ?? '';
  if (site.node.inputs.length > 2 || equation.includes('...')) throw site.refuse(`its equation is ${equation}`);
}

/** The dimensions of a batch of matrices, without leading ones. */
function batchOf(shape: readonly number[]): readonly number[] {
  const batch = shape.slice(0, -2);
  const first = batch.findIndex((size) => size !== 1);
  return first < 0 ? [] : batch.slice(first);
}

function isSuffix(small: readonly number[], large: readonly number[]): boolean {
  return small.length <= large.length && small.every((size, i) => size === large[large.length - small.length + i]);
}
