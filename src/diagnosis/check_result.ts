import type { Fix } from '../errors.js';
import type { Finding, FlagSetting } from './finding.js';

/**
 * What a model does at inference.
 *
 * - `ok`: as it should
 * - `ok_once`: as it should once flags that have no value in the file get their values: feed them, or pin them
 * - `affected`: it has a finding of the level `error`
 */
export type CheckVerdict = 'ok' | 'ok_once' | 'affected';

/** The result of `check` for one model. */
export interface CheckResult {
  readonly verdict: CheckVerdict;
  /** The batch norms that feed an output, and how many of them use batch statistics with the model as it is in the file. */
  readonly batchNorms: { readonly total: number; readonly training: number };
  /** Flags and rates to set: they have no value in the file, or another one than that of inference, which is given here. */
  readonly once: readonly FlagSetting[];
  /** The most serious first. */
  readonly findings: readonly Finding[];
  /** How to repair it; undefined if there is nothing to repair. */
  readonly repair: Repair | undefined;
}

/** How to repair a model. */
export type Repair =
  /** `freeze`, with outputs to be named if they are ambiguous. `needsCheckpoint`: the one with its weights was not found. */
  | { readonly code: 'freeze'; readonly outputs: readonly string[]; readonly needsCheckpoint: boolean }
  /** `freeze` refuses the model for this reason, with these outputs if they are ambiguous; the fixes are options of `freeze`. */
  | {
      readonly code: 'refused';
      readonly outputs: readonly string[];
      readonly message: string;
      readonly fixes: readonly Fix[];
    }
  | ConvertAgain;

/** Repair what it was converted from, and convert that again. */
export interface ConvertAgain {
  readonly code: 'convert';
  /** The type of the model. */
  readonly from: 'tfjs' | 'onnx';
  /** The program that wrote it, as the file says; undefined if it does not. */
  readonly producer: string | undefined;
  /** The inputs and outputs to name to a converter, as it spells them. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}
