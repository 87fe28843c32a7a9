import type { DataType } from '../../graph/dtype.js';
import type { Box, TensorSlice } from '../../graph/slices.js';
import type { Tensor } from '../../graph/tensor.js';
import type { ByteSource } from '../../io/source.js';

/** Where a checkpoint is; {@link locateCheckpoint} finds it. */
export interface CheckpointFiles {
  readonly format: 'V1' | 'V2';
  /** The prefix: TensorFlow's name of the checkpoint, with which its file names start. */
  readonly prefix: string;
  /** The .index file, or the file (the first shard) of a V1 checkpoint. */
  readonly index: string;
  /** The state file `checkpoint` that names it, if it was found through one. */
  readonly state?: string;
}

/** The metadata of a tensor in a checkpoint. */
export interface CheckpointEntry {
  readonly key: string;
  readonly dtype: DataType;
  /** Of the whole tensor, outermost first. */
  readonly shape: readonly number[];
  /** The partitions in which it is stored; empty if it is stored whole. */
  readonly slices: readonly TensorSlice[];
}

/** The interface of a reader of one format. */
export interface CheckpointReader {
  readonly files: readonly string[];
  readonly entries: ReadonlyMap<string, CheckpointEntry>;
  read(entry: CheckpointEntry, target: Box): Tensor;
  close(): void;
}

/** Opens a file of a checkpoint. @throws BnfixError `unreadable` when it is missing */
export type OpenSource = (path: string) => ByteSource;
