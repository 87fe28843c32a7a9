import { DataType } from '../../../src/graph/dtype.js';
import { readBytes } from '../../../src/graph/tensor.js';
import { type OpenCheckpoint, openCheckpoint } from '../../../src/readers/checkpoint/checkpoint.js';
import { type BundleOptions, type Files, opener, type SavedTensor, writeBundle } from './write_table.js';

export const NAME = 'dir/model.ckpt';
export const INDEX = `${NAME}.index`;
export const DATA = `${NAME}.data-00000-of-00001`;
export const FILES = { format: 'V2', prefix: NAME, index: INDEX } as const;

export function openFiles(files: Files): OpenCheckpoint {
  return openCheckpoint(FILES, opener(files));
}

/** A V2 checkpoint of these tensors, written and opened. */
export function save(tensors: readonly SavedTensor[], options?: BundleOptions): OpenCheckpoint {
  return openFiles(writeBundle(NAME, tensors, options));
}

/** Everything in a checkpoint that can be read. */
export function readAll(checkpoint: OpenCheckpoint): Map<string, Uint8Array | string[]> {
  const read = (key: string) => {
    const tensor = checkpoint.tensor(key);
    return tensor.dtype === DataType.DT_STRING ? texts(tensor.strings()) : readBytes(tensor);
  };
  return new Map([...checkpoint.entries.keys()].map((key) => [key, read(key)]));
}

export function texts(values: Uint8Array[]): string[] {
  return values.map((value) => Buffer.from(value).toString('latin1'));
}

/** A slice of its extents: start and length of each dimension. */
export function slice(...extents: [start: number, length: number][]) {
  return extents.map(([start, length]) => ({ start, length }));
}

/** The partitions of a [7, 5] tensor. */
export const ROWS = [slice([0, 3], [0, -1]), slice([3, 2], [0, -1]), slice([5, 2], [0, -1])];
export const COLUMNS = [slice([0, -1], [0, 2]), slice([0, -1], [2, 1]), slice([0, -1], [3, 2])];
