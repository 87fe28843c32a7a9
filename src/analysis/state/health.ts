import { BnfixError } from '../../errors.js';
import type { Checkpoint } from '../../graph/model.js';
import { elementCount, readNumbers, type Tensor } from '../../graph/tensor.js';
import { variableValue } from './checkpoint_value.js';
import type { Statistics } from './statistics.js';

/** What is wrong with moving statistics; `untrained` ones may be allowed by the user, the others may not. */
export interface HealthProblem {
  readonly kind: 'missing' | 'untrained' | 'not finite' | 'negative variance' | 'wrong shape';
  readonly why: string;
}

/** Whether a vector is all 0 or all 1, as moving statistics are before the first update. */
export function isUntouched(value: Tensor): boolean {
  if (value.shape.length === 0 || value.byteLength > MAX_BYTES) return false;
  const numbers = readNumbers(value);
  return numbers.length > 0 && (numbers[0] === 0 || numbers[0] === 1) && numbers.every((x) => x === numbers[0]);
}

/** Statistics are vectors: more than this is something else. */
const MAX_BYTES = 1 << 20;

/** Looks at the values of moving statistics. Reads them: a few numbers per channel. */
export function checkHealth(statistics: Statistics, checkpoint: Checkpoint | undefined): HealthProblem | undefined {
  const { mean, variance } = statistics;
  try {
    const [meanTensor, varianceTensor] = [variableValue(mean, checkpoint), variableValue(variance, checkpoint)];
    const [channels, others] = [elementCount(meanTensor.shape), elementCount(varianceTensor.shape)];
    if (channels !== others) {
      return { kind: 'wrong shape', why: `${mean.node} has ${channels} channels, ${variance.node} has ${others}` };
    }
    const [means, variances] = [readNumbers(meanTensor), readNumbers(varianceTensor)];
    if (![...means, ...variances].every(Number.isFinite)) {
      return { kind: 'not finite', why: `${mean.node} or ${variance.node} holds NaN or infinity` };
    }
    if (variances.some((value) => value < 0)) {
      return { kind: 'negative variance', why: `${variance.node} has a negative value: ${Math.min(...variances)}` };
    }
    const all = (values: Float64Array, wanted: number) => values.every((value) => value === wanted);
    if (all(means, 0) && (all(variances, 1) || all(variances, 0))) {
      const shown = variances[0] === 1 ? 1 : 0;
      return { kind: 'untrained', why: `${mean.node} is all 0 and ${variance.node} all ${shown}: never updated` };
    }
    return undefined;
  } catch (error) {
    if (error instanceof BnfixError && error.code === 'statistics') {
      return { kind: 'missing', why: error.why ? `${error.message}: ${error.why}` : error.message };
    }
    throw error;
  }
}
