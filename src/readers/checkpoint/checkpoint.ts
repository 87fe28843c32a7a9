import { didYouMean } from '../../did_you_mean.js';
import { BnfixError } from '../../errors.js';
import type { Checkpoint } from '../../graph/model.js';
import { boxOf, sliceText, type TensorSlice, wholeBox } from '../../graph/slices.js';
import type { Tensor } from '../../graph/tensor.js';
import { explainWrongKind, sniff } from '../sniff.js';
import { openBundle } from './bundle.js';
import type { CheckpointEntry, CheckpointFiles, CheckpointReader, OpenSource } from './reader.js';
import { openV1 } from './v1.js';

/** An open checkpoint. Its tensors can be read until it is closed. */
export interface OpenCheckpoint extends Checkpoint {
  /** Its prefix. */
  readonly name: string;
  readonly format: 'V1' | 'V2';
  /** All of its files, whether they exist or not. */
  readonly files: readonly string[];
  /** By key, in the order of the keys' bytes. */
  readonly entries: ReadonlyMap<string, CheckpointEntry>;
  /**
   * A handle on a tensor; its values are read, and their checksum verified, on demand.
   * @throws BnfixError `statistics` for an unknown key, `unsupported` for resources and variants, `unreadable` when the
   *   checkpoint contradicts itself
   */
  tensor(key: string): Tensor;
  /** A handle on one rectangle of a tensor, as RestoreV2 returns for a part of a partitioned variable. */
  slice(key: string, slice: TensorSlice): Tensor;
  close(): void;
}

/**
 * Opens a checkpoint of either format. The whole index is read and checked; data files are opened when a tensor is read.
 * @throws BnfixError `unreadable` when the index is missing, of the wrong type, truncated or corrupt
 */
export function openCheckpoint(files: CheckpointFiles, open: OpenSource): OpenCheckpoint {
  const source = open(files.index);
  try {
    const kind = sniff(source);
    // A corrupt table is detected as 'unknown': opening it reports where it is corrupt.
    if (kind !== 'checkpoint_index' && kind !== 'checkpoint_v1' && kind !== 'unknown') {
      throw explainWrongKind(kind, files.index);
    }
    const isV1 = kind === 'unknown' ? files.format === 'V1' : kind === 'checkpoint_v1';
    const reader = isV1 ? openV1(source, files, open) : openBundle(source, files, open);
    return new ReaderCheckpoint(files.prefix, isV1 ? 'V1' : 'V2', reader);
  } catch (error) {
    source.close();
    throw error;
  }
}

class ReaderCheckpoint implements OpenCheckpoint {
  readonly name: string;
  readonly format: 'V1' | 'V2';
  readonly files: readonly string[];
  readonly entries: ReadonlyMap<string, CheckpointEntry>;
  readonly #reader: CheckpointReader;

  constructor(name: string, format: 'V1' | 'V2', reader: CheckpointReader) {
    this.name = name;
    this.format = format;
    this.files = reader.files;
    this.entries = reader.entries;
    this.#reader = reader;
  }

  tensor(key: string): Tensor {
    const entry = this.#entry(key);
    return this.#reader.read(entry, wholeBox(entry.shape));
  }

  slice(key: string, slice: TensorSlice): Tensor {
    const entry = this.#entry(key);
    const box = boxOf(slice, entry.shape);
    if (box) return this.#reader.read(entry, box);
    throw new BnfixError('statistics', `the checkpoint has no part ${sliceText(slice)} of ${key}`, {
      where: this.name,
      why: `its shape there is [${entry.shape.join(', ')}]`,
      fix: 'the graph and the checkpoint must come from the same training run',
    });
  }

  close(): void {
    this.#reader.close();
  }

  #entry(key: string): CheckpointEntry {
    const entry = this.entries.get(key);
    if (entry) return entry;
    throw new BnfixError('statistics', `the checkpoint has no tensor ${key}`, {
      where: this.name,
      why: `none of its ${this.entries.size} tensors has that name`,
      fix: didYouMean(key, this.entries.keys()) ?? 'the graph and the checkpoint must come from the same training run',
    });
  }
}
