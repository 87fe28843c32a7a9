import { BnfixError } from '../../errors.js';
import { concatBytes } from '../../io/bytes.js';
import { varint } from '../../io/varint.js';
import { LENGTH_DELIMITED, type WireField, type WireReader } from '../../readers/wire.js';

/** Payloads of scalars, shapes and the like are always read. */
const SMALL_BYTES = 1024;
/** Vectors, such as moving statistics, are read up to this size. */
const VECTOR_BYTES = 1 << 20;
/** Subgraphs can be nested without end; protobuf itself stops at 100 messages. */
const MAX_DEPTH = 100;

/** What is read of a message: fields that are kept as they are, and messages of which a part is kept. */
interface Part {
  readonly kept: ReadonlySet<number>;
  readonly messages: ReadonlyMap<number, Part>;
  /** Whether it is a TensorProto, whose payload is left out if it is a large matrix. */
  readonly isTensor?: true;
}

const TENSOR: Part = { kept: new Set([1, 2, 4, 5, 7, 8, 9, 10, 11, 13, 14]), messages: new Map(), isTensor: true };
const GRAPH_MESSAGES = new Map<number, Part>();
const GRAPH: Part = { kept: new Set([2, 11, 12]), messages: GRAPH_MESSAGES };
const ATTRIBUTE: Part = {
  kept: new Set([1, 2, 3, 4, 7, 8, 21]),
  messages: new Map([
    [5, TENSOR],
    [6, GRAPH],
    [11, GRAPH],
  ]),
};
const NODE: Part = { kept: new Set([1, 2, 3, 4, 7, 8]), messages: new Map([[5, ATTRIBUTE]]) };
GRAPH_MESSAGES.set(1, NODE).set(5, TENSOR);
const FUNCTION: Part = {
  kept: new Set([1, 4, 5, 9, 10, 13]),
  messages: new Map([
    [7, NODE],
    [11, ATTRIBUTE],
  ]),
};
const MODEL: Part = {
  kept: new Set([1, 2, 3, 8, 20]),
  messages: new Map([
    [7, GRAPH],
    [25, FUNCTION],
  ]),
};

/**
 * The bytes of the ModelProto in a source without values of large tensors and without fields that bnfix does not know: what is
 * left fits in memory, however large the weights are.
 */
export function prunedModel(reader: WireReader): Uint8Array {
  return concatBytes(prune(reader, 0, reader.source.size, MODEL, 0).parts);
}

interface Pruned {
  readonly parts: readonly Uint8Array[];
  readonly length: number;
}

function prune(reader: WireReader, start: number, end: number, part: Part, depth: number): Pruned {
  if (depth > MAX_DEPTH) {
    throw new BnfixError('unreadable', `${reader.source.name} has subgraphs in more than ${MAX_DEPTH / 4} levels`, {
      where: `${reader.source.name}, byte ${start}`,
      fix: 'convert the model again',
    });
  }
  const parts: Uint8Array[] = [];
  let length = 0;
  const add = (bytes: Uint8Array) => {
    parts.push(bytes);
    length += bytes.length;
  };
  const fields = [...reader.fields(start, end)];
  const isPayload = part.isTensor ? payloadsToSkip(reader, fields) : () => false;
  for (const field of fields) {
    const inner = field.wireType === LENGTH_DELIMITED ? part.messages.get(field.number) : undefined;
    // A small message has nothing to leave out.
    if (inner && field.length > SMALL_BYTES) {
      const pruned = prune(reader, field.offset, field.offset + field.length, inner, depth + 1);
      add(header(field.number, pruned.length));
      for (const bytes of pruned.parts) parts.push(bytes);
      length += pruned.length;
    } else if (inner || (part.kept.has(field.number) && !isPayload(field))) {
      add(reader.bytes(field.start, field.offset + field.length - field.start));
    }
  }
  return { parts, length };
}

/** The payloads of a tensor that are not read: large ones, unless it is a vector. */
function payloadsToSkip(reader: WireReader, fields: readonly WireField[]): (field: WireField) => boolean {
  const limit = rankOf(reader, fields) <= 1 ? VECTOR_BYTES : SMALL_BYTES;
  return ({ wireType, length }) => wireType === LENGTH_DELIMITED && length > limit;
}

/** The number of dims: in one packed field, or one field each. */
function rankOf(reader: WireReader, fields: readonly WireField[]): number {
  let rank = 0;
  for (const { number, wireType, offset, length } of fields) {
    if (number !== 1) continue;
    if (wireType !== LENGTH_DELIMITED) rank++;
    else if (length > SMALL_BYTES) return length;
    else for (const byte of reader.bytes(offset, length)) if (byte < 0x80) rank++;
  }
  return rank;
}

/** The tag and the length of a message. */
function header(number: number, length: number): Uint8Array {
  return concatBytes([varint(number * 8 + LENGTH_DELIMITED), varint(length)]);
}
