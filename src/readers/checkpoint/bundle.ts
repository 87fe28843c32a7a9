import { BnfixError } from '../../errors.js';
import { bytesPerElement, DataType, swapWidth } from '../../graph/dtype.js';
import { type Box, boxOf, boxShape, sliceText, wholeBox } from '../../graph/slices.js';
import { byteSize, elementCount, MAX_RANK, shapeOf, type Tensor } from '../../graph/tensor.js';
import { textOfByteString } from '../../io/bytes.js';
import type { ByteSource } from '../../io/source.js';
import { tensorflow } from '../../proto/tensorflow.js';
import { pieceTensor } from './assemble.js';
import { bundlePiece, type StoredBytes } from './bundle_piece.js';
import { corrupt, count, decodeMessage } from './checkpoint_errors.js';
import { encodeTensorNameSlice } from './ordered_code.js';
import type { CheckpointEntry, CheckpointFiles, CheckpointReader, OpenSource } from './reader.js';
import { openShards } from './shards.js';
import { coverageFault, sliceOfProto } from './slice.js';
import { openTable, readTable } from './table.js';

/** The newest version of the format that this reader knows (kTensorBundleVersion). */
const BUNDLE_VERSION = 1;
/** The file names have five digits. */
const MAX_SHARDS = 99_999;

/** The index entry of one value: a whole tensor, one slice, or a tensor that is stored in slices. */
interface StoredEntry extends CheckpointEntry {
  readonly stored: StoredBytes;
}

/**
 * Opens a V2 checkpoint (tensor_bundle.cc): an index table with a BundleEntryProto per tensor, and the values in
 * `prefix.data-00000-of-0000N`.
 * @param source the .index file; it is read completely, and closed
 */
export function openBundle(source: ByteSource, { prefix, index }: CheckpointFiles, open: OpenSource): CheckpointReader {
  const values = new Map<string, StoredEntry>();
  let header: tensorflow.BundleHeaderProto | undefined;
  for (const { key, value } of readTable(openTable(source))) {
    if (key === '') header = readHeader(index, value);
    else values.set(key, readEntry(index, key, value));
  }
  source.close();
  if (!header) throw corrupt(index, `${index} is not a checkpoint index`, 'it has no header');

  const shards = openShards(
    prefix,
    index,
    header.num_shards,
    [...values.values()].map((entry) => entry.stored),
    open,
  );
  const bigEndian = header.endianness === tensorflow.BundleHeaderProto.Endianness.BIG;
  const entries = new Map<string, StoredEntry>();
  // Keys of slices start with a 0 byte; keys of tensors are names.
  for (const [key, entry] of values) if (!key.startsWith('\0')) entries.set(entry.key, entry);

  const piece = (key: string, entry: StoredEntry, box: Box) => {
    const swap = bigEndian ? swapWidth(entry.dtype) : 1;
    return bundlePiece(key, box, entry.stored, { shard: () => shards.open(entry.stored.shard), swap, bigEndian });
  };
  const read = ({ key }: CheckpointEntry, target: Box): Tensor => {
    const entry = entries.get(key)!;
    const parts = partsOf(index, entry, values);
    const origin = `${key} in ${shards.name(parts[0]!.entry.stored.shard)}`;
    return pieceTensor(entry.dtype, target, () => parts.map((part) => piece(key, part.entry, part.box)), origin);
  };
  return { files: [index, ...shards.names], entries, read, close: shards.close };
}

function readHeader(index: string, value: Uint8Array): tensorflow.BundleHeaderProto {
  const what = `the header of ${index}`;
  const header = decodeMessage(index, what, () => tensorflow.BundleHeaderProto.decode(value));
  const needed = header.version?.min_consumer ?? 0;
  if (needed > BUNDLE_VERSION) {
    throw new BnfixError('unsupported', `${index} has a newer checkpoint format`, {
      where: index,
      why: `it requires readers of version ${needed}; bnfix reads up to ${BUNDLE_VERSION}`,
      fix: 'save the checkpoint with an older TensorFlow, or update bnfix',
    });
  }
  if (header.num_shards < 1 || header.num_shards > MAX_SHARDS) {
    throw corrupt(index, `${what} is malformed`, `it declares ${header.num_shards} data files`);
  }
  return header;
}

function readEntry(index: string, rawKey: string, value: Uint8Array): StoredEntry {
  const key = textOfByteString(rawKey);
  const what = `the entry of ${printable(key)} in ${index}`;
  const proto = decodeMessage(index, what, () => tensorflow.BundleEntryProto.decode(value));
  const shape = shapeOf(proto.shape ?? {});
  const isValid = shape?.every((size) => Number.isSafeInteger(size) && size >= 0) && shape.length <= MAX_RANK;
  if (!shape || !isValid || !Number.isSafeInteger(elementCount(shape))) {
    throw corrupt(index, `${what} is malformed`, `its shape is [${shape?.join(', ') ?? 'unknown'}]`);
  }
  return {
    key,
    dtype: proto.dtype,
    shape,
    slices: proto.slices.map((slice) => sliceOfProto(index, what, slice)),
    stored: {
      shard: proto.shard_id,
      offset: count(index, what, proto.offset),
      size: count(index, what, proto.size),
      maskedCrc: proto.crc32c >>> 0,
    },
  };
}

/** The stored values of a tensor, checked to match its type and to cover it exactly. */
function partsOf(index: string, entry: StoredEntry, values: ReadonlyMap<string, StoredEntry>) {
  const malformed = (why: string) => corrupt(index, `the entry of ${entry.key} in ${index} is malformed`, why);
  if (entry.slices.length === 0) {
    checkSize(entry, malformed);
    return [{ entry, box: wholeBox(entry.shape) }];
  }
  const parts = entry.slices.map((slice) => {
    const text = sliceText(slice);
    const box = boxOf(slice, entry.shape);
    if (!box) throw malformed(`its part ${text} exceeds its shape [${entry.shape.join(', ')}]`);
    const part = values.get(encodeTensorNameSlice(entry.key, slice));
    if (!part) throw malformed(`its part ${text} is missing`);
    if (part.dtype !== entry.dtype || part.shape.join() !== boxShape(box).join()) {
      throw malformed(`its part ${text} has another type or shape`);
    }
    checkSize(part, malformed);
    return { entry: part, box };
  });
  const fault = coverageFault(
    parts.map(({ box }) => box),
    entry.shape,
  );
  if (fault) throw malformed(fault);
  return parts;
}

function checkSize({ dtype, shape, stored }: StoredEntry, malformed: (why: string) => BnfixError): void {
  if (dtype === DataType.DT_STRING || bytesPerElement(dtype) === undefined) return;
  const size = byteSize(dtype, shape);
  if (stored.size !== size) throw malformed(`it has ${stored.size} bytes, but its shape needs ${size}`);
}

/** A key as text; the key of a slice is binary. */
function printable(key: string): string {
  return key.startsWith('\0') ? `a slice of ${key.slice(1).replace(/\0.*$/s, '')}` : key;
}
