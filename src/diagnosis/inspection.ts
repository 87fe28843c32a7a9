import type { HealthProblem } from '../analysis/state/health.js';
import type { Evidence } from '../analysis/state/statistics.js';
import type { UnpairedReason } from '../analysis/training/batch_norms.js';
import type { FlagReason } from '../analysis/training/flags.js';
import type { OutputReason } from '../analysis/training/outputs.js';
import type { CandidateReport, ModelInfo, TensorInfo } from '../freezing/report.js';
import type { FlagSetting, RuleId } from './finding.js';

/**
 * What is in a model, as plain data: no handles, nothing to read. docs/inspect.schema.json is its schema, docs/inspect.md
 * describes each field. Names are those of the graph, tensors are `name:port`.
 */
export interface Inspection {
  readonly model: ModelInfo;
  /** Path of the checkpoint; undefined if there is none. */
  readonly checkpoint: string | undefined;
  readonly verdict: Verdict;
  /** The placeholders that feed the outputs at inference. */
  readonly inputs: readonly TensorInfo[];
  /** The outputs that were chosen; empty if they have to be named. */
  readonly outputs: readonly TensorInfo[];
  readonly outputReason: OutputReason;
  /** Tensors that may be outputs, best first; empty if a name or a signature determines the outputs. */
  readonly candidates: readonly CandidateReport[];
  readonly signatures: readonly SignatureInspection[];
  /** Placeholders, variables and conditions that switch between training and inference. */
  readonly flags: readonly FlagInspection[];
  /** All batch norms, in file order: those that feed an output (or a candidate), and others with `feeds` empty. */
  readonly batchNorms: readonly BatchNormInspection[];
  /** The dropouts that are active once all flags have their values of inference. */
  readonly dropouts: readonly DropoutInspection[];
  /** Other random ops that feed an output at inference. */
  readonly randomOps: readonly string[];
  readonly size: SizeInspection;
  /** Ops of the graph by number of nodes, most frequent first. */
  readonly ops: readonly OpCount[];
}

/** What the model, run as it is, does at inference: the verdict of `check`. */
export interface Verdict {
  readonly kind: /** `check` has findings of the level `error`: see `errors`. */
    | 'affected'
    /** It infers as it should once the flags and rates in `once` are fed. */
    | 'needs_flags'
    /** It infers as it should. */
    | 'ok'
    /** The same, and no batch norm feeds an output. */
    | 'no_batch_norms';
  /** Number of batch norms that feed an output and use batch statistics, whatever is fed or if nothing is. */
  readonly affected: number;
  /** Number of batch norms that feed an output. */
  readonly total: number;
  /** The rules of `check` that make it affected, and the number of their findings. */
  readonly errors: readonly RuleCount[];
  /** Flags and rates to feed, with their values at inference. */
  readonly once: readonly FlagSetting[];
}

/** A rule of `check` and the number of its findings. */
export interface RuleCount {
  readonly rule: RuleId;
  readonly count: number;
}

/** A signature of a SavedModel. */
export interface SignatureInspection {
  readonly name: string;
  /** `tensorflow/serving/predict`. */
  readonly method: string | undefined;
  readonly inputs: readonly SignatureTensorInspection[];
  readonly outputs: readonly SignatureTensorInspection[];
  /** Its inputs and outputs that are not in the graph, as the signature names them: `node:port`. */
  readonly missing: readonly string[];
}

/** A tensor of a signature. */
export interface SignatureTensorInspection extends TensorInfo {
  /** Its name in the signature. */
  readonly key: string;
}

/** A flag that switches between training and inference. */
export interface FlagInspection {
  /** The placeholder or variable, or the node that computes a condition. */
  readonly name: string;
  /** Its value at inference: a boolean for a boolean flag, otherwise a number. */
  readonly value: boolean | number;
  /** The value that it has in the file: a default, or the value of a variable; undefined if it has to be fed, or is unknown. */
  readonly saved: boolean | number | undefined;
  /** Why `value` is inference. */
  readonly reason: FlagReason;
  /** The batch norms that use batch statistics with the other value. */
  readonly batchNorms: readonly string[];
  /** The random ops, of dropouts mostly, that are active with the other value only. */
  readonly randomOps: readonly string[];
}

/** Values along the channels, summarised. In float64; values that are not finite are only counted. */
export interface ValueSummary {
  /** Undefined if no value is finite. */
  readonly min: number | undefined;
  /** The arithmetic mean. */
  readonly mean: number | undefined;
  readonly max: number | undefined;
  /** Number of NaN and infinite values. */
  readonly notFinite: number;
  /** Undefined if no value is finite. */
  readonly histogram: Histogram | undefined;
}

/** Numbers of values in bins of equal width. */
export interface Histogram {
  /** The lower edge of the first bin: the smallest value. */
  readonly from: number;
  /** The upper edge of the last bin, which includes it: the largest value. */
  readonly to: number;
  /** 30 bins, or one if all values are equal. */
  readonly counts: readonly number[];
}

/** A batch norm. */
export interface BatchNormInspection {
  /** The op; for an unfused batch norm, the one that takes the root of the variance. */
  readonly name: string;
  /** The op: FusedBatchNorm, FusedBatchNormV2, FusedBatchNormV3; `unfused` for arithmetic. */
  readonly pattern: string;
  readonly mode: /** It uses batch statistics, whatever is fed. */
    | 'training'
    /** It uses stored statistics. */
    | 'inference'
    /** `flags` decide which of them it uses. */
    | 'switched'
    /** It normalises each example by itself, intentionally. */
    | 'per_example';
  /** The flags that decide, if it is `switched`. */
  readonly flags: readonly string[];
  /** The outputs (or candidates) that it feeds. */
  readonly feeds: readonly string[];
  /** The tensor that it normalises; undefined if it was not recognised. */
  readonly input: string | undefined;
  /** Number of channels; undefined if unknown. */
  readonly channels: number | undefined;
  /** What is added to the variance; undefined if it was not recognised. */
  readonly epsilon: number | undefined;
  /**
   * The momentum of the moving averages, from the update ops: `moving = decay * moving + (1 - decay) * batch`, rounded to
   * 7 decimals; undefined if there are no update ops, or it is computed from what is fed.
   */
  readonly decay: number | undefined;
  /** Its stored statistics; undefined if it has none, or none was found. */
  readonly statistics: StatisticsInspection | undefined;
  /** Why its stored statistics are not certain; undefined if they are, or it needs none. */
  readonly unpaired: UnpairedReason | undefined;
  /** The variable or constant with its scale; undefined if it has none (`gamma` is 1), or none was recognised. */
  readonly gamma: string | undefined;
  /** The variable or constant with its offset; undefined like `gamma`. */
  readonly beta: string | undefined;
  /** The values of the stored mean; undefined if they are missing. */
  readonly mean: ValueSummary | undefined;
  /** The values of the stored variance; undefined if they are missing. */
  readonly variance: ValueSummary | undefined;
  /** `gamma / sqrt(variance + epsilon)`, what an input is multiplied by at inference; undefined if a part of it is. */
  readonly scale: ValueSummary | undefined;
  /**
   * Indices of the dead channels, whose output hardly varies: with input like that of the training, its standard deviation,
   * `|gamma| * sqrt(variance / (variance + epsilon))`, is below 0.001. Undefined if a part of it is.
   */
  readonly deadChannels: readonly number[] | undefined;
  /** What is wrong with its stored statistics; undefined if nothing is. */
  readonly health: HealthProblem | undefined;
}

/** The stored statistics of a batch norm. */
export interface StatisticsInspection {
  /** The variable, or the constant, with the mean; undefined if none was recognised. */
  readonly mean: string | undefined;
  readonly variance: string;
  /** How they were found; undefined if the batch norm already reads them. */
  readonly evidence: Evidence | undefined;
}

/** An active dropout. */
export interface DropoutInspection {
  /** The op that applies the mask, or the scaling after it. */
  readonly name: string;
  /** The tensor that the mask is applied to: at inference, the output of the dropout. */
  readonly input: string;
  /** The random op that its mask is computed from. */
  readonly random: string;
}

/** Number of nodes of an op. */
export interface OpCount {
  readonly op: string;
  readonly count: number;
}

/** How large a model is: from shapes, no weight is read. */
export interface SizeInspection {
  /** Number of nodes in the graph as saved; those of functions are not included. */
  readonly nodes: number;
  /** Number of functions in its library. */
  readonly functions: number;
  /** Size of the file that holds the graph, in bytes. */
  readonly graphBytes: number;
  /** All variables of the graph. */
  readonly variables: Amount;
  /** The variables that feed an output (or a candidate) at inference. */
  readonly inferenceVariables: Amount;
  /** All constants of the graph with at least one dimension: the weights of a frozen graph, and shapes, axes and the like. */
  readonly constants: Amount;
}

/** Tensors and their size. */
export interface Amount {
  readonly tensors: number;
  /** Number of elements of those whose shape is known. */
  readonly elements: number;
  /** Their size in bytes; tensors of strings count as 0. */
  readonly bytes: number;
  /** How many have an unknown shape, and are not included in `elements` and `bytes`. */
  readonly unknown: number;
}
