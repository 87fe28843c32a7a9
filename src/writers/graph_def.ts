import { BnfixError } from '../errors.js';
import { ChunkRing } from '../graph/chunk_ring.js';
import { DataType } from '../graph/dtype.js';
import type { Graph, GraphHeader } from '../graph/graph.js';
import { type Node, refText } from '../graph/node.js';
import { shapeProto, type Tensor } from '../graph/tensor.js';
import { topologicalOrder } from '../graph/walk.js';
import { bytesOfString, concatBytes } from '../io/bytes.js';
import { tensorflow } from '../proto/tensorflow.js';

/** The largest message that protobuf can hold, in bytes. */
export const MAX_MESSAGE_BYTES = 2 ** 31 - 1;

/** A message that is ready to be written: its exact size is known before the first byte is written. */
export interface EncodedGraph {
  /** Size in bytes, weights included. */
  readonly byteLength: number;
  /** The bytes in order; payloads of constants are read on the fly. A chunk is valid until the next but one. */
  chunks(): Iterable<Uint8Array>;
}

/** One piece of the output: bytes in memory, or a payload that is still in its file. */
type Piece = Uint8Array | Tensor;

/** Options of {@link encodeGraphDef}. */
export interface EncodeOptions {
  /** Keep the order of nodes in the file; otherwise inputs come before consumers. */
  readonly fileOrder?: boolean;
}

/**
 * Encodes a graph as a binary GraphDef. Equal graphs give equal bytes: attrs are sorted by key.
 * @throws BnfixError `unwritable` when it would be larger than the 2 GiB that a protobuf message can hold.
 */
export function encodeGraphDef(graph: Graph, options: EncodeOptions = {}): EncodedGraph {
  return withinLimit(layOutGraphDef(graph, options));
}

/** The same without a limit: for its size, which a graph has in any format. */
export function layOutGraphDef(graph: Graph, options: EncodeOptions = {}): EncodedGraph {
  const pieces = new Pieces();
  for (const node of options.fileOrder ? graph.nodes() : topologicalOrder(graph)) pushNode(pieces, node);
  pieces.add(tensorflow.GraphDef.encode(frameProto(graph.header)).finish());
  return { byteLength: pieces.byteLength, chunks: () => joinPieces(pieces.all()) };
}

/** @throws BnfixError `unwritable` when a GraphDef is larger than the 2 GiB that a protobuf message can hold */
export function withinLimit(encoded: EncodedGraph): EncodedGraph {
  const { byteLength } = encoded;
  if (byteLength <= MAX_MESSAGE_BYTES) return encoded;
  throw new BnfixError('unwritable', 'the graph with its weights does not fit into one GraphDef', {
    why: `it needs ${byteLength} bytes; protobuf holds at most ${MAX_MESSAGE_BYTES}`,
    fix: [
      { option: 'format', value: 'saved_model', text: 'writes a folder with the weights in files of their own' },
      { option: 'format', value: 'tfjs', text: 'the same for TensorFlow.js' },
      { option: 'outputs', value: 'NAMES', text: 'freezes a part of it: fewer outputs' },
      { option: 'inputs', value: 'NAMES', text: 'or later inputs' },
    ],
  });
}

const BLOCK_BYTES = 256 * 1024;
/** Payloads up to this size are copied into the surrounding bytes: a separate write costs more. */
const SMALL_BYTES = 64 * 1024;

/** The output in order: 100,000 nodes become a hundred blocks of bytes, and the payloads between them. */
class Pieces {
  byteLength = 0;
  readonly #list: Piece[] = [];
  #block = new Uint8Array(BLOCK_BYTES);
  #start = 0;
  #end = 0;

  add(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#block.set(bytes, this.#end);
    this.#end += bytes.length;
    this.byteLength += bytes.length;
  }

  /** Tag and length of a length-delimited field with a number below 16. */
  addHead(field: number, length: number): void {
    this.#reserve(headLength(length));
    this.byteLength -= this.#end;
    this.#block[this.#end++] = (field << 3) | 2;
    let rest = length;
    for (; rest > 127; rest = Math.floor(rest / 128)) this.#block[this.#end++] = (rest & 127) | 128;
    this.#block[this.#end++] = rest;
    this.byteLength += this.#end;
  }

  addPayload(tensor: Tensor): void {
    this.#close();
    this.byteLength += tensor.byteLength;
    this.#list.push(tensor);
  }

  all(): readonly Piece[] {
    this.#close();
    return this.#list;
  }

  #reserve(length: number): void {
    if (length <= this.#block.length - this.#end) return;
    this.#close();
    this.#block = new Uint8Array(Math.max(BLOCK_BYTES, length));
    this.#start = this.#end = 0;
  }

  #close(): void {
    if (this.#end > this.#start) this.#list.push(this.#block.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }
}

/** The bytes of pieces, in order: small ones together, large ones a chunk at a time. A chunk is valid until the next but one. */
export function* joinPieces(pieces: readonly Piece[]): Generator<Uint8Array> {
  const large = new ChunkRing();
  // Separate from the large chunks, one of which may still be being written.
  const small = new ChunkRing();
  let pending: Uint8Array[] = [];
  let size = 0;
  const add = (bytes: Uint8Array) => {
    pending.push(bytes);
    size += bytes.length;
  };
  const flush = () => {
    const bytes = concatBytes(pending);
    pending = [];
    size = 0;
    return bytes;
  };
  for (const piece of pieces) {
    if (piece instanceof Uint8Array) add(piece);
    else if (piece.byteLength <= SMALL_BYTES) {
      for (const chunk of checkedChunks(piece, small)) add(new Uint8Array(chunk));
    } else {
      if (size > 0) yield flush();
      yield* checkedChunks(piece, large);
    }
    if (size >= BLOCK_BYTES) yield flush();
  }
  if (size > 0) yield flush();
}

/** The chunks of a payload. Their length must match the header, or the file would be corrupt. */
export function* checkedChunks(tensor: Tensor, ring?: ChunkRing): Generator<Uint8Array> {
  let left = tensor.byteLength;
  for (const chunk of tensor.chunks(ring)) {
    left -= chunk.length;
    yield chunk;
  }
  if (left !== 0) throw new BnfixError('internal', `a tensor ended ${left} bytes early`, { where: tensor.origin });
}

/** The value of a Const that is not in memory: it is copied while it is read. */
export function streamedPayload({ tensor }: Node): Tensor | undefined {
  return tensor && !tensor.proto && tensor.dtype !== DataType.DT_STRING ? tensor : undefined;
}

/** The key of a map entry: field 1, "value". */
const VALUE_KEY = bytesOfString('\n\x05value');

function pushNode(pieces: Pieces, node: Node): void {
  const payload = streamedPayload(node);
  const head = tensorflow.NodeDef.encode(nodeProto(node, payload === undefined)).finish();
  if (!payload) {
    pieces.addHead(1, head.length);
    pieces.add(head);
    return;
  }
  // attr["value"] = { tensor: { dtype, tensor_shape, tensor_content } }, nested lengths from the inside out.
  const tensorHead = tensorflow.TensorProto.encode({
    dtype: payload.dtype,
    tensor_shape: shapeProto(payload.shape),
  }).finish();
  const content = payload.byteLength;
  const tensor = tensorHead.length + (content > 0 ? headLength(content) + content : 0);
  const value = headLength(tensor) + tensor;
  const entry = VALUE_KEY.length + headLength(value) + value;
  pieces.addHead(1, head.length + headLength(entry) + entry);
  pieces.add(head);
  pieces.addHead(5, entry);
  pieces.add(VALUE_KEY);
  pieces.addHead(2, value);
  pieces.addHead(8, tensor);
  pieces.add(tensorHead);
  if (content > 0) pieces.addHead(4, content);
  pieces.addPayload(payload);
}

/** Size in bytes of the tag and the length of a field. */
function headLength(length: number): number {
  let bytes = 2;
  for (let rest = length; rest > 127; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

/** The NodeDef of a node, attrs sorted by key. */
export function nodeProto(node: Node, withPayload: boolean): tensorflow.NodeDef.$Properties {
  const { tensor } = node;
  const { value, ...others } = node.attr;
  let attr = tensor ? others : node.attr;
  if (withPayload && tensor) attr = { ...attr, value: { ...value, tensor: tensor.proto ?? typedProto(tensor) } };
  return {
    name: node.name,
    op: node.op,
    input: [...node.inputs.map(refText), ...node.controls.map((name) => `^${name}`)],
    device: node.device,
    attr: sorted(attr),
    ...(node.debugInfo && { experimental_debug_info: node.debugInfo }),
    ...(node.fullType && { experimental_type: node.fullType }),
    ...(node.unknowns && { $unknowns: [...node.unknowns] }),
  };
}

/** A GraphDef without its nodes. */
export function frameProto({
  versions,
  version,
  library,
  debugInfo,
  unknowns,
}: GraphHeader): tensorflow.GraphDef.$Properties {
  return {
    ...(library && { library: sortedLibrary(library) }),
    ...(version && { version }),
    ...(versions && { versions }),
    ...(debugInfo && { debug_info: debugInfo }),
    ...(unknowns && { $unknowns: [...unknowns] }),
  };
}

/** The TensorProto of a string tensor that was not read from one. */
function typedProto(tensor: Tensor): tensorflow.TensorProto.$Properties {
  return { dtype: tensor.dtype, tensor_shape: shapeProto(tensor.shape), string_val: tensor.strings() };
}

function sorted<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

/** Sorts maps inside functions by key, so that equal graphs give equal bytes. */
function sortedLibrary(library: tensorflow.FunctionDefLibrary.$Properties): tensorflow.FunctionDefLibrary.$Properties {
  const sortNode = (node: tensorflow.NodeDef.$Properties) => ({ ...node, attr: sorted(node.attr ?? {}) });
  return {
    ...library,
    function: (library.function ?? []).map((fn) => ({
      ...fn,
      attr: sorted(fn.attr ?? {}),
      ret: sorted(fn.ret ?? {}),
      control_ret: sorted(fn.control_ret ?? {}),
      node_def: (fn.node_def ?? []).map(sortNode),
    })),
  };
}
