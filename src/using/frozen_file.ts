import type { TensorInfo } from '../freezing/report.js';
import type { Usage } from './usage.js';

/** A frozen graph in a file, and how it is used. */
export interface FrozenFile extends Pick<Usage, 'inputs' | 'outputs'> {
  /** Its path, as it is to appear in commands. */
  readonly path: string;
  readonly format: 'pb' | 'pbtxt' | 'tfjs';
}

/** The path with another ending: `frozen.onnx` for `frozen.pb`. */
export function besides({ path }: Pick<FrozenFile, 'path'>, ending: string): string {
  return path.replace(/\.(pb(txt)?|meta)$|(?<=.)[/\\]+$/, '') + ending;
}

/** The name of a tensor without the port 0, as programs want it that take names of nodes: `a`, `b:1`. */
export function shortName({ name }: TensorInfo): string {
  return name.replace(/:0$/, '');
}

/** The name of the variable with the value of each input: `x`, or `x0`, `x1`. */
export function variableNames(inputs: readonly TensorInfo[]): string[] {
  return inputs.map((_, i) => (inputs.length === 1 ? 'x' : `x${i}`));
}

/** Stands for a size that the graph leaves open, other than that of the batch. */
export const OPEN_SIZE = 224;

/** A shape without open sizes: 1 for the batch, {@link OPEN_SIZE} for others; undefined for an unknown rank. */
export function exampleShape({ shape }: TensorInfo): readonly number[] | undefined {
  return shape?.map((size, i) => (size >= 0 ? size : i === 0 ? 1 : OPEN_SIZE));
}

/** Whether a graph leaves a size of an input open that {@link exampleShape} has to fill in. */
export function hasOpenSizes({ shape }: TensorInfo): boolean {
  return shape === undefined || shape.some((size) => size < 0);
}
