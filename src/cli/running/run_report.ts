import type { Analysis } from '../../freezing/analysis.js';
import { usesCheckpoint } from '../../freezing/notices.js';
import { flagReport, type ModelInfo, modelInfo } from '../../freezing/report.js';
import type { ModelRun } from '../../proof/run_model.js';
import { numbersOf, stringsOf, type TensorValue } from '../../run/value.js';

/** A tensor that was computed, in short. */
export interface TensorSummary {
  /** `name:port`. */
  readonly name: string;
  /** float32, int64, ... */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Of its finite elements; undefined if it has none, and for strings and complex numbers. */
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly mean: number | undefined;
  /** How many elements are NaN or infinite. */
  readonly notFinite: number;
  /** Its first elements in row-major order; NaN and infinity as text. Complex numbers are two numbers each. */
  readonly first: readonly (number | string)[];
}

/** A flag, and the value that it had. */
export interface RunFlag {
  readonly name: string;
  readonly value: boolean | number;
  /** Set by the user, the default of the graph, or the value at inference. */
  readonly reason: 'given' | 'default' | 'inference';
}

/** What `bnfix run` did. */
export interface RunReport {
  readonly model: ModelInfo;
  /** Path of the checkpoint; undefined if none of its values was used. */
  readonly checkpoint: string | undefined;
  /** The graph that was run: as it was saved, or repaired. */
  readonly graph: 'saved' | 'repaired';
  readonly inputs: readonly {
    readonly name: string;
    readonly dtype: string;
    readonly shape: readonly number[];
    readonly isRandom: boolean;
  }[];
  readonly flags: readonly RunFlag[];
  /** Batch norms that feed what was fetched and that used batch statistics. */
  readonly batchStatistics: readonly string[];
  /** Dropouts that feed what was fetched and that were active. */
  readonly dropouts: readonly string[];
  /** Those that were left out, because inputs that only they need have no value. */
  readonly withoutDropouts: readonly string[];
  /** These inputs. */
  readonly missing: readonly string[];
  /** The fetched tensors, in the order in which they were named. */
  readonly outputs: readonly TensorSummary[];
}

/** The report of a run. @param repaired - whether the repaired graph was run */
export function runReport(run: ModelRun, repaired: boolean): RunReport {
  const { analysis, defaults, inputs, outputs, dropouts, withoutDropouts, missing } = run;
  const { model, graph, flags } = analysis;
  return {
    model: modelInfo(model),
    checkpoint: usesCheckpoint(analysis) ? model.checkpoint?.name : undefined,
    graph: repaired ? 'repaired' : 'saved',
    inputs: inputs.map(({ name, value: { dtype, shape }, isGiven }) => ({ name, dtype, shape, isRandom: !isGiven })),
    flags: flags.map((flag) => {
      const reason = defaults.has(flag.node) ? 'default' : flag.reason.code === 'given' ? 'given' : 'inference';
      const { name, value } = flagReport(graph, flag);
      return { name, value, reason };
    }),
    batchStatistics: repaired ? [] : inTrainingMode(analysis),
    dropouts,
    withoutDropouts,
    missing,
    outputs: Object.entries(outputs).map(([name, value]) => summary(name, value)),
  };
}

function inTrainingMode({ batchNorms }: Analysis): string[] {
  const uses = new Set(['paired', 'averaged_in_parts', 'unpaired']);
  return batchNorms.filter(({ status }) => uses.has(status.kind)).map(({ name }) => name);
}

/** How many elements of a tensor are shown. */
const FIRST = 5;

function summary(name: string, value: TensorValue): TensorSummary {
  const { dtype, shape } = value;
  const blank = { name, dtype, shape, min: undefined, max: undefined, mean: undefined, notFinite: 0 };
  if (dtype === 'string') {
    const decoder = new TextDecoder();
    return {
      ...blank,
      first: stringsOf(value)
        .slice(0, FIRST)
        .map((bytes) => decoder.decode(bytes)),
    };
  }
  const numbers = dtype === 'complex64' ? Float64Array.from(value.data as Float32Array) : numbersOf(value);
  const first = [...numbers.subarray(0, dtype === 'complex64' ? 2 * FIRST : FIRST)];
  const notFinite = numbers.reduce((count, number) => count + Number(!Number.isFinite(number)), 0);
  const shown = first.map((number) => (Number.isFinite(number) ? number : String(number)));
  return { ...blank, ...(dtype === 'complex64' ? {} : rangeOf(numbers)), notFinite, first: shown };
}

function rangeOf(numbers: Float64Array): Pick<TensorSummary, 'min' | 'max' | 'mean'> {
  let [min, max, sum, count] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
  for (const number of numbers) {
    if (!Number.isFinite(number)) continue;
    min = Math.min(min, number);
    max = Math.max(max, number);
    sum += number;
    count++;
  }
  return count === 0 ? { min: undefined, max: undefined, mean: undefined } : { min, max, mean: sum / count };
}
