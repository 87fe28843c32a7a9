import type { OptionKinds } from '../check_options.js';
import type { TargetName } from './target_names.js';

/** Options of `freeze`. All are optional: defaults are inferred from the model. */
export interface FreezeOptions {
  /** Tensors to keep as outputs: `name`, `name:0`. Default: a signature's, or the best candidate if one stands out. */
  readonly outputs?: readonly string[];
  /** The signature whose outputs to keep. Default: serving_default, or the only one. */
  readonly signature?: string;
  /** Tensors to cut at: each becomes a placeholder of its dtype and shape. Default: the ends of input pipelines. */
  readonly inputs?: readonly string[];
  /** Batch norms, dropouts and flags to leave as they are: names, scopes or globs. */
  readonly keep?: readonly string[];
  /**
   * Batch norm (name or glob) -> the variables or checkpoint keys that hold its moving mean and variance; any other
   * statistic (a tensor or a variable) -> the variable or key to read instead.
   */
  readonly map?: Readonly<Record<string, string | readonly [mean: string, variance: string]>>;
  /** Placeholders (or variables) to pin: a flag, a keep_prob, any number. */
  readonly set?: Readonly<Record<string, boolean | number>>;
  /** Use the moving averages of the weights (tf.train.ExponentialMovingAverage) in place of the weights. */
  readonly ema?: boolean;
  /**
   * Placeholder of the result (or tensor in `inputs`) -> its shape, -1 for an open dimension; a shape alone for the only
   * placeholder. What follows from the shapes is evaluated, and a shape that does not fit the graph is refused.
   */
  readonly inputShapes?: Readonly<Record<string, readonly number[]>> | readonly number[];
  /** Output of the result -> the name of the op that outputs it: `{ 'model/Softmax': 'probs' }`. */
  readonly outputNames?: Readonly<Record<string, string>>;
  /** The program that the result is for: it may get an equal form that it reads better (docs/targets.md). */
  readonly target?: TargetName;
  /** Accept statistics that were never updated (mean 0, variance 1). */
  readonly allowUntrained?: boolean;
}

/** The type of each option. */
export const FREEZE_OPTIONS: OptionKinds<FreezeOptions> = {
  outputs: 'strings',
  signature: 'string',
  inputs: 'strings',
  keep: 'strings',
  map: 'record',
  set: 'record',
  inputShapes: 'any',
  outputNames: 'record',
  target: 'string',
  ema: 'boolean',
  allowUntrained: 'boolean',
};

/** Those of some options that are options of `freeze`. */
export function freezeOptionsOf(options: FreezeOptions): FreezeOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => Object.hasOwn(FREEZE_OPTIONS, name)));
}
