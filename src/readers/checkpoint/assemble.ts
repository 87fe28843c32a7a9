import { BnfixError } from '../../errors.js';
import { CHUNK_BYTES, type ChunkRing } from '../../graph/chunk_ring.js';
import { bytesPerElement, DataType, dtypeName } from '../../graph/dtype.js';
import { type Box, boxShape } from '../../graph/slices.js';
import { elementCount, type Tensor } from '../../graph/tensor.js';
import { intersect, runs, spanIn } from './slice.js';

/** A rectangle of a tensor as stored: elements row-major, little-endian. */
export interface Piece {
  readonly box: Box;
  /** Its bytes in order, checked: throws after the last one at the latest. Chunks are valid as long as those of a tensor. */
  chunks(ring?: ChunkRing): Iterable<Uint8Array>;
  /** Throws when its bytes do not match their checksum. */
  check(): void;
  /** Fills `target` with its bytes from `offset`, unchecked. */
  readInto(target: Uint8Array, offset: number): void;
  /** Its values, checked, if they are strings. */
  strings(): Uint8Array[];
}

/**
 * A handle on a rectangle of a tensor that is stored in pieces. Values are read on demand; while reading, only
 * a few chunks are in memory, whatever the size of the tensor or of its pieces.
 *
 * @param target the rectangle that is wanted; the tensor has its lengths as shape
 * @param pieces makes the pieces, which cover the target exactly once; called for each read
 * @throws BnfixError `unsupported` for types without values in a checkpoint (resources, variants)
 */
export function pieceTensor(dtype: DataType, target: Box, pieces: () => readonly Piece[], origin: string): Tensor {
  const shape = boxShape(target);
  const used = () => pieces().filter((piece) => intersect(piece.box, target) !== undefined);
  if (dtype === DataType.DT_STRING) {
    return { dtype, shape, byteLength: 0, chunks: () => [], strings: () => gatherStrings(target, used()), origin };
  }
  const width = bytesPerElement(dtype);
  if (width === undefined) {
    throw new BnfixError('unsupported', `a ${dtypeName(dtype)} tensor has no readable values`, {
      where: origin,
      why: 'only numbers, booleans and strings can become constants of a frozen graph',
    });
  }
  return {
    dtype,
    shape,
    byteLength: elementCount(shape) * width,
    chunks: (ring) => assemble(target, used(), width, ring),
    strings: () => {
      throw new BnfixError('internal', `a ${dtypeName(dtype)} tensor has no strings`, { where: origin });
    },
    origin,
  };
}

function* assemble(
  target: Box,
  pieces: readonly Piece[],
  width: number,
  ring: ChunkRing | undefined,
): Generator<Uint8Array> {
  const inOrder = pieces.toSorted((a, b) => (a.box[0]?.start ?? 0) - (b.box[0]?.start ?? 0));
  if (inOrder.every(({ box }) => isRowsOf(box, target))) {
    for (const piece of inOrder) yield* piece.chunks(ring);
  } else {
    for (const piece of pieces) piece.check();
    yield* gather(target, pieces, width);
  }
}

/** Whether the box consists of whole rows of the target, so that its bytes are contiguous in the target. */
function isRowsOf(box: Box, target: Box): boolean {
  return box.every(({ start, length }, i) => {
    const { start: from, length: size } = target[i]!;
    return i === 0 ? start >= from && start + length <= from + size : start === from && length === size;
  });
}

/** The bytes of the target, in order, from checked pieces. */
function* gather(target: Box, pieces: readonly Piece[], width: number): Generator<Uint8Array> {
  for (const block of split(target, [target, ...pieces.map(({ box }) => box)], width)) {
    const bytes = new Uint8Array(elementCount(boxShape(block)) * width);
    for (const piece of pieces) {
      const span = spanIn(piece.box, block);
      if (!span) continue;
      const part = new Uint8Array((span.end - span.start) * width);
      piece.readInto(part, span.start * width);
      for (const { to, from, count } of runs(block, piece.box)) {
        const at = (from - span.start) * width;
        bytes.set(part.subarray(at, at + count * width), to * width);
      }
    }
    yield bytes;
  }
}

/**
 * The target in contiguous blocks, in order. A block is one index in the first dimensions, a range in the next, and all of
 * the last ones, so that a piece's share of it is close together as well: within CHUNK_BYTES, in each of the boxes.
 */
function* split(target: Box, boxes: readonly Box[], width: number, axis = 0): Generator<Box> {
  const extent = target[axis];
  if (!extent) {
    yield target;
    return;
  }
  const rowBytes = width * Math.max(...boxes.map((box) => elementCount(boxShape(box.slice(axis + 1)))));
  const rows = Math.max(1, Math.floor(CHUNK_BYTES / rowBytes));
  const end = extent.start + extent.length;
  for (let start = extent.start; start < end; start += rows) {
    const block = target.with(axis, { start, length: Math.min(rows, end - start) });
    if (rowBytes <= CHUNK_BYTES) yield block;
    else yield* split(block, boxes, width, axis + 1);
  }
}

function gatherStrings(target: Box, pieces: readonly Piece[]): Uint8Array[] {
  const values = new Array<Uint8Array>(elementCount(boxShape(target)));
  for (const piece of pieces) {
    const stored = piece.strings();
    for (const { to, from, count } of runs(target, piece.box)) {
      for (let i = 0; i < count; i++) values[to + i] = stored[from + i]!;
    }
  }
  return values;
}
