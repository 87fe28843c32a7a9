import type { Stored } from '../../analysis/training/stored_statistics.js';
import type { AnalysedBatchNorm, Analysis } from '../../freezing/analysis.js';
import { epsilonOf } from '../arithmetic.js';
import type { FindingDetail } from '../finding.js';
import { StoredValues } from '../stored_values.js';
import type { Found, Rule } from './rule.js';

/** Single dead channels are common in nets that work. */
const MOST = 0.5;

/** Variances so small that epsilon decides what most channels are divided by, or that only epsilon makes positive. */
export const tinyVariance: Rule = {
  id: 'tiny-variance',
  level: 'warn',
  find({ analysis }) {
    const values = new StoredValues(analysis);
    return variancesOf(analysis, values).flatMap(({ name, epsilon, variance }): Found[] => {
      const numbers = variance && values.numbersOf(variance);
      const detail = numbers && epsilonDecides(numbers, epsilon);
      return detail ? [{ node: name, detail }] : [];
    });
  },
};

/** The finding about a variance, if it is so small that epsilon decides. */
export function epsilonDecides(variance: Float64Array, epsilon: number): FindingDetail | undefined {
  const small = variance.filter((number) => number < epsilon);
  const smallest = small.reduce((least, number) => Math.min(least, number), epsilon);
  if (smallest >= 0 && (small.length === 0 || small.length < MOST * variance.length)) return undefined;
  return { code: 'epsilon_decides', epsilon, below: small.length, channels: variance.length, smallest };
}

interface WithVariance {
  readonly name: string;
  readonly epsilon: number;
  readonly variance: Stored | undefined;
}

/** The batch norms whose smallest variance is below epsilon, but not so far that it is invalid. */
function variancesOf({ graph, batchNorms, stored }: Analysis, values: StoredValues): WithVariance[] {
  const withEpsilon = ({ name, range, health }: Checked, variance: () => Stored | undefined): WithVariance[] => {
    const epsilon = epsilonOf(graph, name);
    const smallest = range?.variance?.[0];
    const isTiny = smallest !== undefined && epsilon !== undefined && smallest < epsilon && -smallest < epsilon;
    const isValid = health === undefined || health.kind === 'negative_variance';
    return isTiny && isValid ? [{ name, epsilon, variance: variance() }] : [];
  };
  const known = new Set(batchNorms.map(({ name }) => name));
  return [
    ...batchNorms.flatMap((batchNorm) =>
      withEpsilon(batchNorm, () => {
        const { name, status } = batchNorm;
        if (status.kind === 'paired') return { kind: 'variable', variable: status.statistics.variance };
        return values.at(graph.get(name).inputs[4]);
      }),
    ),
    ...stored
      .filter(({ name, isBatchNorm }) => isBatchNorm && !known.has(name))
      .flatMap((each) => withEpsilon(each, () => each.norm.variance)),
  ];
}

type Checked = Pick<AnalysedBatchNorm, 'name' | 'range' | 'health'>;
