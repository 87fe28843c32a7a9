import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { CalibrationData, ExampleSource } from '../../calibration/examples.js';
import { BnfixError } from '../../errors.js';
import { elementCount } from '../../graph/tensor.js';
import type { GraphInput } from '../../proof/samples.js';
import { rowsOf, type TensorValue } from '../../run/value.js';
import type { Pixels } from '../data/image.js';
import { type InputPaths, readInputFile } from '../data/input_files.js';
import { type InputPart, inputValue, joined, partOf } from '../data/input_value.js';
import { inputOf } from '../data/input_values.js';
import { isNpy, NPY_HEADER_BYTES, type NpyHeader, npyElements, readNpyHeader } from '../data/npy.js';
import { isNpz } from '../data/npz.js';

/** The examples of inputs, read from files when they are needed. @throws BnfixError `usage`, `unreadable` */
export function exampleData(paths: InputPaths, inputs: readonly GraphInput[], pixels: Pixels): CalibrationData {
  const data: Record<string, TensorValue | ExampleSource> = {};
  for (const [name, files] of paths) {
    const input = inputOf(name, inputs);
    data[input.name] = isOneValue(files, input)
      ? inputValue(files.map(readInputFile), input, pixels)
      : new ExampleFiles(files, input, pixels);
  }
  return data;
}

/** Whether a file has just what an input of a fixed size takes. */
function isOneValue(paths: readonly string[], { shape }: GraphInput): boolean {
  const [path, ...others] = paths;
  if (path === undefined || others.length > 0 || !shape?.every((size) => size >= 0)) return false;
  const start = beginningOf(path);
  return isNpy(start) && `${readNpyHeader(start, path).shape}` === `${shape}`;
}

/** A file, and how many examples it has. */
interface CountedFile {
  readonly path: string;
  readonly count: number;
  /** The header of a .npy file whose examples can be read one by one. */
  readonly header: NpyHeader | undefined;
  /** Whether it is one example, without a batch axis. */
  readonly isSingle: boolean;
}

/** Examples in files: an array has one for each index of its first axis, a picture is one. */
class ExampleFiles implements ExampleSource {
  readonly count: number;
  readonly #files: readonly CountedFile[];
  readonly #input: GraphInput;
  readonly #pixels: Pixels;
  /** The last file that had to be read as a whole. */
  #whole: { readonly path: string; readonly value: TensorValue } | undefined;

  constructor(paths: readonly string[], input: GraphInput, pixels: Pixels) {
    this.#input = input;
    this.#pixels = pixels;
    this.#files = paths.map((path) => this.#counted(path));
    this.count = this.#files.reduce((sum, { count }) => sum + count, 0);
  }

  read(start: number, count: number): TensorValue {
    const parts: InputPart[] = [];
    let first = 0;
    for (const file of this.#files) {
      const [from, to] = [Math.max(start, first), Math.min(start + count, first + file.count)];
      if (from < to) parts.push({ name: file.path, value: this.#part(file, from - first, to - from) });
      first += file.count;
    }
    return joined(parts, this.#input);
  }

  #counted(path: string): CountedFile {
    const start = beginningOf(path);
    if (isNpy(start)) {
      const header = readNpyHeader(start, path);
      const isSingle = this.#isSingle(header.shape, path);
      const isSliced = !header.isFortran && !isSingle;
      return { path, count: isSingle ? 1 : header.shape[0]!, header: isSliced ? header : undefined, isSingle };
    }
    if (!isNpz(start)) return { path, count: 1, header: undefined, isSingle: false };
    const { shape } = this.#wholeOf(path);
    const isSingle = this.#isSingle(shape, path);
    return { path, count: isSingle ? 1 : shape[0]!, header: undefined, isSingle };
  }

  /** Whether an array is one example: it has one axis less than the input. */
  #isSingle(shape: readonly number[], path: string): boolean {
    const rank = this.#input.shape?.length;
    if (rank !== undefined && shape.length === rank - 1) return true;
    if (shape.length > 0) return false;
    throw new BnfixError('usage', `${path} has no axis of examples`, { where: path });
  }

  #part({ path, header, isSingle }: CountedFile, start: number, count: number): TensorValue {
    if (header) return readRows(path, header, start, count);
    const value = this.#wholeOf(path);
    if (isSingle) return { ...value, shape: [1, ...value.shape] };
    return start === 0 && count === value.shape[0] ? value : rowsOf(value, start, count);
  }

  #wholeOf(path: string): TensorValue {
    if (this.#whole?.path !== path) {
      // Before the next one is read: only one of them is in memory.
      this.#whole = undefined;
      this.#whole = { path, value: partOf(readInputFile(path), this.#input, this.#pixels) };
    }
    return this.#whole.value;
  }
}

/** Some examples of a .npy file in C order. */
function readRows(path: string, header: NpyHeader, start: number, count: number): TensorValue {
  const { shape, width } = header;
  const rest = shape.slice(1);
  const size = elementCount(rest) * width;
  const bytes = readAt(path, header.start + start * size, count * size);
  if (bytes.length === count * size) return npyElements(header, [count, ...rest], bytes);
  throw new BnfixError('unreadable', 'not a valid .npy file', { where: path, why: 'it is truncated or corrupt' });
}

function beginningOf(path: string): Uint8Array {
  return readAt(path, 0, NPY_HEADER_BYTES);
}

/** Bytes of a file: fewer than asked for at its end. */
function readAt(path: string, offset: number, length: number): Uint8Array {
  try {
    const file = openSync(path, 'r');
    try {
      const bytes = new Uint8Array(Math.max(0, Math.min(length, fstatSync(file).size - offset)));
      let read = 0;
      for (let now = 1; now > 0 && read < bytes.length; read += now) {
        now = readSync(file, bytes, read, bytes.length - read, offset + read);
      }
      return bytes.subarray(0, read);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw new BnfixError('unreadable', `cannot read ${path}`, { where: path, why: (cause as Error).message, cause });
  }
}
