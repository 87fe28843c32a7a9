import type { BatchNorm } from '../../analysis/training/batch_norms.js';
import type { Stored } from '../../analysis/training/stored_statistics.js';
import type { Analysis } from '../../freezing/analysis.js';
import { attrFloat } from '../../graph/attrs.js';
import { DEFAULT_EPSILON, epsilonUnder } from '../arithmetic.js';
import { StoredValues } from '../stored_values.js';
import type { Found, Rule } from './rule.js';

/** Single dead channels are common in nets that work. */
const MOST = 0.5;

/** Variances so small that epsilon decides what most channels are divided by. */
export const tinyVariance: Rule = {
  id: 'tiny-variance',
  level: 'warn',
  find({ analysis }) {
    const values = new StoredValues(analysis);
    return variancesOf(analysis, values).flatMap(({ name, epsilon, variance }): Found[] => {
      const numbers = variance && epsilon !== undefined ? values.numbersOf(variance) : undefined;
      const small = numbers?.filter((number) => number >= 0 && number < epsilon!);
      if (!numbers || !small || small.length === 0 || small.length < MOST * numbers.length) return [];
      const detail = { epsilon: epsilon!, below: small.length, channels: numbers.length, smallest: Math.min(...small) };
      return [{ node: name, detail: { code: 'epsilon_decides', ...detail } }];
    });
  },
};

interface WithVariance {
  readonly name: string;
  readonly epsilon: number | undefined;
  readonly variance: Stored | undefined;
}

/** The batch norms whose smallest variance is below epsilon. */
function variancesOf({ graph, batchNorms, stored }: Analysis, values: StoredValues): WithVariance[] {
  const epsilonOf = ({ name, unfused }: Pick<BatchNorm, 'name'> & Partial<BatchNorm>) =>
    unfused ? epsilonUnder(graph, name) : (attrFloat(graph.get(name), 'epsilon') ?? DEFAULT_EPSILON);
  const isSmall = (smallest: number | undefined, epsilon: number | undefined) =>
    smallest !== undefined && epsilon !== undefined && smallest < epsilon;
  const known = new Set(batchNorms.map(({ name }) => name));
  return [
    ...batchNorms.flatMap((batchNorm): WithVariance[] => {
      const { name, status, range, health } = batchNorm;
      const epsilon = epsilonOf(batchNorm);
      if (health || !isSmall(range?.variance?.[0], epsilon)) return [];
      const isPaired = status.kind === 'paired';
      const variance: Stored | undefined = isPaired
        ? { kind: 'variable', variable: status.statistics.variance }
        : values.at(graph.get(name).inputs[4]);
      return [{ name, epsilon, variance }];
    }),
    ...stored.flatMap(({ name, isBatchNorm, norm, range, health }): WithVariance[] => {
      const epsilon = epsilonUnder(graph, name);
      const isTiny = isBatchNorm && !known.has(name) && !health && isSmall(range?.variance?.[0], epsilon);
      return isTiny ? [{ name, epsilon, variance: norm.variance }] : [];
    }),
  ];
}
