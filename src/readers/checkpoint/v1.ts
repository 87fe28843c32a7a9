import { BnfixError } from '../../errors.js';
import { type DataType, dtypeName } from '../../graph/dtype.js';
import { type Box, boxOf, sliceText, type TensorSlice } from '../../graph/slices.js';
import { elementCount, MAX_RANK, shapeOf, type Tensor } from '../../graph/tensor.js';
import { byteString } from '../../io/bytes.js';
import type { ByteSource } from '../../io/source.js';
import { tensorflow } from '../../proto/tensorflow.js';
import { pieceTensor } from './assemble.js';
import { corrupt, decodeMessage } from './checkpoint_errors.js';
import type { CheckpointEntry, CheckpointFiles, CheckpointReader, OpenSource } from './reader.js';
import { coverageFault, sliceOfProto } from './slice.js';
import { lookUp, openTable, type Table } from './table.js';
import { v1Piece } from './v1_piece.js';

/** The newest version of the format that this reader knows (TF_CHECKPOINT_VERSION). */
const CHECKPOINT_VERSION = 1;

/** A part of a tensor and the file that holds it. */
interface StoredSlice {
  readonly table: Table;
  readonly slice: TensorSlice;
  readonly box: Box;
}

interface StoredTensor extends CheckpointEntry {
  readonly slices: TensorSlice[];
  readonly parts: StoredSlice[];
}

/**
 * Opens a V1 checkpoint (tensor_slice_writer.cc): one table per shard, whose empty key lists the tensors and their slices,
 * and whose other keys hold one slice each as a TensorProto. A slice is in memory as a whole while it is read.
 * @param source its only file, or its first shard; kept open
 */
export function openV1(source: ByteSource, { index }: CheckpointFiles, open: OpenSource): CheckpointReader {
  const files = shardsOf(index);
  const sources = [source];
  const close = () => {
    for (const shard of sources) shard.close();
  };
  const tensors = new Map<string, StoredTensor>();
  try {
    for (const file of files) {
      const shard = file === index ? source : open(file);
      if (shard !== source) sources.push(shard);
      addShard(tensors, openTable(shard));
    }
    for (const tensor of tensors.values()) checkTensor(index, tensor);
  } catch (error) {
    close();
    throw error;
  }
  const entries = new Map([...tensors].sort(([a], [b]) => compareUtf8(a, b)));
  const read = ({ key }: CheckpointEntry, target: Box): Tensor => {
    const { dtype, parts } = entries.get(key)!;
    const pieces = () => parts.map(({ table, slice, box }) => v1Piece(table, key, dtype, slice, box));
    return pieceTensor(dtype, target, pieces, `${key} in ${parts[0]!.table.source.name}`);
  };
  return { files, entries, read, close };
}

/** Compares two names by their bytes in UTF-8, which is by code point. */
function compareUtf8(a: string, b: string): number {
  const [left, right] = [a, b].map((name) => byteString(utf8.encode(name))) as [string, string];
  return left < right ? -1 : left > right ? 1 : 0;
}

const utf8 = new TextEncoder();

/** All shards of the checkpoint of a file: the name `model-00000-of-00002` determines the others. */
function shardsOf(file: string): string[] {
  const match = /^(.*)-\d{5}-of-(\d{5})$/s.exec(file);
  if (!match) return [file];
  const digits = (n: number) => String(n).padStart(5, '0');
  return Array.from({ length: Number(match[2]) }, (_, i) => `${match[1]}-${digits(i)}-of-${match[2]}`);
}

function addShard(tensors: Map<string, StoredTensor>, table: Table): void {
  const file = table.source.name;
  const value = lookUp(table, '');
  if (!value) throw corrupt(file, `${file} is not a V1 checkpoint`, 'it has no list of tensors');
  const what = `the list of tensors in ${file}`;
  const { meta } = decodeMessage(file, what, () => tensorflow.SavedTensorSlices.decode(value));
  const needed = meta?.versions?.min_consumer ?? 0;
  if (needed > CHECKPOINT_VERSION) {
    throw new BnfixError('unsupported', `${file} has a newer checkpoint format`, {
      where: file,
      why: `it requires readers of version ${needed}; bnfix reads up to ${CHECKPOINT_VERSION}`,
      fix: 'save the checkpoint with an older TensorFlow, or update bnfix',
    });
  }
  for (const { name = '', type, shape: sizes, slice: protos } of meta?.tensor ?? []) {
    const malformed = (why: string) => corrupt(file, `the entry of ${name} in ${file} is malformed`, why);
    const key = name ?? '';
    const dtype = (type ?? 0) as DataType;
    const shape = shapeOf(sizes ?? {});
    const isValid = shape?.every((size) => size >= 0) && shape.length <= MAX_RANK;
    if (!shape || !isValid || !Number.isSafeInteger(elementCount(shape))) {
      throw malformed(`its shape is [${shape?.join(', ') ?? 'unknown'}]`);
    }
    const tensor: StoredTensor = tensors.get(key) ?? { key, dtype, shape, slices: [], parts: [] };
    if (tensor.dtype !== dtype || tensor.shape.join() !== shape.join()) {
      throw malformed(
        `it is ${dtypeName(dtype)} [${shape}] here and ${dtypeName(tensor.dtype)} [${tensor.shape}] elsewhere`,
      );
    }
    for (const proto of protos ?? []) {
      const slice = sliceOfProto(file, what, proto);
      const box = boxOf(slice, shape);
      if (!box) throw malformed(`its part ${sliceText(slice)} exceeds its shape [${shape.join(', ')}]`);
      tensor.parts.push({ table, slice, box });
      tensor.slices.push(slice);
    }
    tensors.set(key, tensor);
  }
}

function checkTensor(index: string, { key, shape, slices, parts }: StoredTensor): void {
  const fault = coverageFault(
    parts.map(({ box }) => box),
    shape,
  );
  if (fault || parts.length === 0) {
    throw corrupt(index, `the checkpoint does not hold all of ${key}`, fault ?? 'it lists no part of it');
  }
  // A tensor that is stored whole is one slice, not a partition.
  if (slices.length === 1) slices.length = 0;
}
