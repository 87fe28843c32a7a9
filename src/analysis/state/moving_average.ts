import type { TensorRef } from '../../graph/node.js';
import type { Variable } from './variables.js';

/** A moving average: `variable` averages the tensor `statistic`, as its update op proves. */
export interface MovingAverage {
  readonly variable: Variable;
  readonly statistic: TensorRef;
  /** The op that assigns. */
  readonly assign: string;
  /** Whether the update averages the statistic directly: it has the variable's shape. */
  readonly isDirect: boolean;
  /** Whether the variable is overwritten by the statistic, not averaged with it. */
  readonly isCopy: boolean;
  /** Variables in between (zero debias, batch renormalisation). */
  readonly via: readonly string[];
  /** Whether the statistic is reached through the updated value of one of these variables. */
  readonly isCarried: boolean;
  /** What the variable converges to, as a multiple of the statistic. */
  readonly factor: number;
  /** Whether the factor is none that corrects the statistic: what is averaged on the way is the statistic itself. */
  readonly isMultiple: boolean;
}
