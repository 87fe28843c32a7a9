import type { ErrorCode } from '../errors.js';
import type { CheckResult, CheckVerdict } from './check_result.js';
import type { Finding } from './finding.js';

/** The type of a checked file. */
export type ModelKind = 'meta_graph' | 'graph_def' | 'saved_model' | 'tfjs' | 'onnx';

/** What `bnfix check` prints: with `--format json` as it is; docs/check.schema.json is its schema. */
export interface CheckReport {
  /** The version of bnfix. */
  readonly bnfix: string;
  /** In the order in which they were checked. */
  readonly models: readonly ModelReport[];
  readonly summary: CheckSummary;
}

/** Counts of a report. */
export interface CheckSummary {
  /** How many models were found. */
  readonly models: number;
  readonly affected: number;
  /** Models that are well once their flags are set. */
  readonly okOnce: number;
  readonly ok: number;
  /** Models that could not be checked. */
  readonly failed: number;
  /** Findings of the level `error`. */
  readonly errors: number;
  /** Findings of the level `warn`. */
  readonly warnings: number;
  /** How many warnings are allowed; undefined for any number. */
  readonly maxWarnings: number | undefined;
  /** The exit code of the command. */
  readonly exitCode: number;
}

/** The result for one model. */
export interface ModelReport {
  /** The model, as a path that the other commands take: relative to the working folder if the path on the command line was. */
  readonly path: string;
  /** The file with its graph; equals `path` unless that is a folder. */
  readonly file: string;
  /** Undefined if it was not recognised. */
  readonly kind: ModelKind | undefined;
  /** `failed`: it could not be checked, as `error` says. */
  readonly verdict: CheckVerdict | 'failed';
  /** The verdict as text: `AFFECTED 4 of 4 batch norms use batch statistics at inference`. */
  readonly text: string;
  readonly batchNorms: CheckResult['batchNorms'];
  /** Flags and rates to set: they have no value in the file, or another one than that of inference, which is given here. */
  readonly once: CheckResult['once'];
  /** The most serious first. */
  readonly findings: readonly ReportedFinding[];
  /** The command that repairs it; undefined if there is nothing to repair, or one command does not do. */
  readonly repair: string | undefined;
  /** What to do if no command repairs it, as text: why `freeze` refuses it, or how to convert it again. */
  readonly note: string | undefined;
  /** Why it could not be checked. */
  readonly error: ModelError | undefined;
}

/** A finding with its text. */
export interface ReportedFinding extends Finding {
  readonly message: string;
}

/** Why a model could not be checked. */
export interface ModelError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly where: string | undefined;
  /** Details, one a line. */
  readonly why: readonly string[];
  /** Possible fixes as text, with options as the command line writes them. */
  readonly fixes: readonly string[];
}
