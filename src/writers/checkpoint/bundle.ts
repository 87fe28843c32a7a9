import { DataType } from '../../graph/dtype.js';
import { shapeProto, type Tensor } from '../../graph/tensor.js';
import { byteString } from '../../io/bytes.js';
import { crc32c, maskCrc } from '../../io/crc32c.js';
import { tensorflow } from '../../proto/tensorflow.js';
import type { Encoded } from '../encoded.js';
import { joinPieces } from '../graph_def.js';
import { encodeStrings } from './strings.js';
import { type Entry, encodeTable } from './table.js';

/** A value to save. */
export interface SavedTensor {
  /** Its key in the checkpoint: the name of the variable. */
  readonly key: string;
  readonly tensor: Tensor;
}

/** The two files of a checkpoint. Write the data first: the index has the checksums of what was written. */
export interface EncodedCheckpoint {
  /** PREFIX.data-00000-of-00001 */
  readonly data: Encoded & { readonly byteLength: number };
  /** PREFIX.index */
  readonly index: Encoded;
}

/** kTensorBundleVersion of tensor_bundle.h. */
const BUNDLE_VERSION = 1;

const utf8 = new TextEncoder();

/**
 * Encodes a V2 checkpoint as TensorFlow's BundleWriter does (tensor_bundle.cc): the values one after the other in the order of
 * their keys, in one data file of any size, and an index.
 * @param tensors - with distinct keys, in any order; they are read while the chunks of the data file are consumed
 */
export function encodeCheckpoint(tensors: readonly SavedTensor[]): EncodedCheckpoint {
  const stored = tensors
    .map(({ key, tensor }) => ({ key: byteString(utf8.encode(key)), tensor }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ key, tensor }) => storedTensor(key, tensor));
  const byteLength = stored.reduce((sum, { piece }) => sum + piece.byteLength, 0);
  const data = () => joinPieces(stored.map(({ piece }) => piece));
  function* index(): Generator<Uint8Array> {
    // Without a data file, read all values for their checksums.
    if (stored.some(({ crc }) => crc() === undefined)) for (const _ of data());
    yield* encodeTable(entriesOf(stored));
  }
  return { data: { byteLength, chunks: data }, index: { chunks: index } };
}

/** A value as it is in the data file. */
interface StoredTensor {
  readonly key: string;
  readonly tensor: Tensor;
  readonly piece: Uint8Array | Tensor;
  /** The checksum of the bytes, once they were read. */
  crc(): number | undefined;
}

function storedTensor(key: string, tensor: Tensor): StoredTensor {
  if (tensor.dtype === DataType.DT_STRING) {
    const { bytes, crc } = encodeStrings(tensor.strings());
    return { key, tensor, piece: bytes, crc: () => crc };
  }
  let known: number | undefined;
  function* chunks(...args: Parameters<Tensor['chunks']>): Generator<Uint8Array> {
    let crc = 0;
    for (const chunk of tensor.chunks(...args)) {
      crc = crc32c(chunk, crc);
      yield chunk;
    }
    known = crc;
  }
  return { key, tensor, piece: { ...tensor, chunks }, crc: () => known };
}

/** The entries of the index: the header, then one per value. */
function* entriesOf(stored: readonly StoredTensor[]): Generator<Entry> {
  const version = { producer: BUNDLE_VERSION };
  yield { key: '', value: tensorflow.BundleHeaderProto.encode({ num_shards: 1, version }).finish() };
  let offset = 0;
  for (const { key, tensor, piece, crc } of stored) {
    const size = piece.byteLength;
    const value = tensorflow.BundleEntryProto.encode({
      dtype: tensor.dtype,
      shape: shapeProto(tensor.shape),
      offset,
      size,
      crc32c: maskCrc(crc()!),
    }).finish();
    yield { key, value };
    offset += size;
  }
}
