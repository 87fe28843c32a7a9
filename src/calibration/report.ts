import type { NumberRange, StatisticsRange } from '../analysis/state/health.js';
import type { FoldReport } from '../freezing/fold_report.js';
import type { FreezeReport } from '../freezing/report.js';
import type { Quantity } from './quantity.js';

/** A stored statistic that was computed. */
export interface StatisticReport {
  /** The variable, or the constant, that holds it. */
  readonly name: string;
  readonly quantity: Quantity;
}

/** What became of the statistics of a batch norm, or of several that share them. */
export interface CalibratedLayer {
  /** The batch norms, in file order. */
  readonly names: readonly string[];
  readonly statistics: readonly StatisticReport[];
  readonly channels: number;
  /** How many numbers per channel the statistics are computed from: examples times positions. */
  readonly count: number;
  /** The statistics that were stored; undefined if there were none, or if they are not a mean and a variance. */
  readonly before: StatisticsRange | undefined;
  readonly after: StatisticsRange;
  /**
   * How far the means have moved, in standard deviations of their channels: the root of the mean square over the channels, and the
   * largest. Undefined without statistics before.
   */
  readonly meanShift: Spread | undefined;
  /** The smallest and the largest quotient of a new variance and the old one. */
  readonly varianceRatio: NumberRange | undefined;
  /**
   * How sure the statistics are, by how much examples differ from each other: the standard error of a mean in standard deviations,
   * that of a variance relative to it. Undefined for a single example.
   */
  readonly standardError: { readonly mean: Spread; readonly variance: Spread } | undefined;
  /** Channels that have the same value everywhere: their variance is 0. */
  readonly constantChannels: number;
}

/** A quantity over the channels of a layer. */
export interface Spread {
  /** The root of the mean square. */
  readonly typical: number;
  readonly largest: number;
}

/** Something that the user should know about calibrated statistics. */
export type CalibrationNotice =
  /** The statistics of these batch norms are not sure: `needed` examples would be enough. */
  | {
      readonly code: 'few_examples';
      readonly batchNorms: readonly string[];
      readonly needed: number | undefined;
    }
  /** These batch norms have channels without any variance. */
  | { readonly code: 'constant_channels'; readonly batchNorms: readonly string[]; readonly channels: number }
  /** Batch norms that feed themselves, whose statistics still change by `change` (relative) from one pass to the next. */
  | { readonly code: 'not_converged'; readonly batchNorms: readonly string[]; readonly change: number };

/** How statistics were computed from data. */
export interface Calibration {
  /** Layer by layer, each with the calibrated statistics of those before it; or all at once, each with batch statistics. */
  readonly mode: 'layer_by_layer' | 'parallel';
  readonly examples: number;
  /** How many were run at a time. */
  readonly batch: number;
  /** How often all examples were run. */
  readonly passes: number;
  /** In the order in which they were computed. */
  readonly layers: readonly CalibratedLayer[];
  readonly notices: readonly CalibrationNotice[];
}

/** The report of `freeze`, or of `fold`, and what was calibrated. */
export interface CalibrateReport extends FreezeReport, Partial<Pick<FoldReport, 'folded' | 'cost'>> {
  readonly calibration: Calibration;
}
