import { rangeOf } from '../analysis/state/health.js';
import { elementCount, readNumbers } from '../graph/tensor.js';
import type { ChannelMoments } from './channel_moments.js';
import type { Group } from './groups.js';
import { type Quantity, quantityOf } from './quantity.js';
import type { CalibratedLayer, Spread } from './report.js';

/** A group and the moments that were computed for it. */
export interface CalibratedGroup {
  readonly group: Group;
  readonly moments: ChannelMoments;
}

/** Old statistics against new ones, and how sure these are. */
export function reportLayer({ group, moments }: CalibratedGroup): CalibratedLayer {
  const { samples, statistics } = group;
  const variance = quantityOf('variance', moments);
  const old = oldStatistics(group, moments);
  const errors = moments.standardErrors();
  // Channels without variance have no unit to measure in.
  const inDeviations = (numbers: Float64Array) => numbers.map((x, c) => x / Math.sqrt(variance[c]!));
  return {
    names: [...new Set(samples.map(({ site }) => site))],
    statistics: statistics.map(({ place, quantity }) => ({ name: place.node, quantity })),
    channels: moments.channels,
    count: moments.count,
    before: old && { channels: moments.channels, mean: rangeOf(old.mean), variance: rangeOf(old.variance) },
    after: { channels: moments.channels, mean: rangeOf(moments.mean), variance: rangeOf(variance) },
    meanShift: old && spreadOf(inDeviations(moments.mean.map((m, c) => Math.abs(m - old.mean[c]!)))),
    varianceRatio: old && rangeOf(variance.map((v, c) => v / old.variance[c]!).filter(Number.isFinite)),
    standardError: errors && {
      mean: spreadOf(inDeviations(errors.mean)) ?? NOTHING,
      variance: spreadOf(errors.variance.map((error, c) => error / variance[c]!)) ?? NOTHING,
    },
    constantChannels: variance.filter((v) => v === 0).length,
  };
}

const NOTHING: Spread = { typical: 0, largest: 0 };

function oldStatistics({ statistics }: Group, { channels }: ChannelMoments) {
  const of = (...quantities: readonly Quantity[]) => {
    const value = statistics.find(({ quantity }) => quantities.includes(quantity))?.place.value;
    return value && elementCount(value.shape) === channels ? readNumbers(value) : undefined;
  };
  const [mean, variance] = [of('mean'), of('variance', 'unbiased_variance')];
  return mean && variance && { mean, variance };
}

function spreadOf(all: Float64Array): Spread | undefined {
  const numbers = all.filter(Number.isFinite);
  if (numbers.length === 0) return undefined;
  const squares = numbers.reduce((sum, x) => sum + x * x, 0);
  const largest = numbers.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  return { typical: Math.sqrt(squares / numbers.length), largest };
}
