import type { Finding, FlagSetting } from './finding.js';

/**
 * What a model does at inference.
 *
 * - `ok`: as it should
 * - `ok_once`: as it should once flags that have no value in the file get their values: feed them, or pin them
 * - `affected`: it has a finding of the level `error`
 */
export type Verdict = 'ok' | 'ok_once' | 'affected';

/** The result of `check` for one model. */
export interface CheckResult {
  readonly verdict: Verdict;
  /** The batch norms that feed an output, and how many of them use batch statistics with the model as it is in the file. */
  readonly batchNorms: { readonly total: number; readonly training: number };
  /** The flags of `ok_once`, with the values that are inference. */
  readonly once: readonly FlagSetting[];
  /** The most serious first. */
  readonly findings: readonly Finding[];
  /** How to repair it; undefined if there is nothing to repair, or bnfix cannot. */
  readonly repair: Repair | undefined;
}

/** What repairs a model. */
export type Repair =
  /** `freeze` with these options. */
  | { readonly code: 'freeze'; readonly outputs: readonly string[] }
  /** Convert the model once more from the repaired TensorFlow graph. */
  | { readonly code: 'convert'; readonly from: 'tfjs' | 'onnx' };
