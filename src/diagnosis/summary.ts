import type { Histogram, ValueSummary } from './inspection.js';

/** Number of bins of a histogram. */
const BINS = 30;

/** The smallest, the largest and the mean of some numbers, and how they are distributed. */
export function summarized(numbers: Float64Array): ValueSummary {
  const finite = numbers.filter(Number.isFinite);
  const notFinite = numbers.length - finite.length;
  if (finite.length === 0) return { min: undefined, mean: undefined, max: undefined, notFinite, histogram: undefined };
  let [min, max, sum] = [finite[0]!, finite[0]!, 0];
  for (const number of finite) {
    if (number < min) min = number;
    if (number > max) max = number;
    sum += number;
  }
  return { min, mean: sum / finite.length, max, notFinite, histogram: histogramOf(finite, min, max) };
}

function histogramOf(numbers: Float64Array, from: number, to: number): Histogram {
  if (from === to) return { from, to, counts: [numbers.length] };
  const counts = new Array<number>(BINS).fill(0);
  // Halves first: the width of float64 from end to end is infinite.
  const width = to / 2 - from / 2;
  for (const number of numbers) {
    const bin = Math.floor(((number / 2 - from / 2) / width) * BINS);
    counts[Math.min(bin, BINS - 1)]!++;
  }
  return { from, to, counts };
}
