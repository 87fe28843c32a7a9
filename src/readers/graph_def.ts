import protobuf from 'protobufjs/minimal.js';
import { BnfixError } from '../errors.js';
import { CHUNK_BYTES, ChunkRing } from '../graph/chunk_ring.js';
import { corruptGraph } from '../graph/corrupt_graph.js';
import { DataType, dtypeName } from '../graph/dtype.js';
import { Graph, type GraphHeader } from '../graph/graph.js';
import { NO_CONTROLS, NO_INPUTS, type NodeContent, type NodeSpec, parseInput, type TensorRef } from '../graph/node.js';
import { byteSize, protoTensor, shapeOf, type Tensor } from '../graph/tensor.js';
import { refuseInvalidAttrs } from '../graph/valid_attrs.js';
import type { ByteSource } from '../io/source.js';
import { tensorflow } from '../proto/tensorflow.js';
import { GatheredFields } from './gathered_fields.js';
import { LENGTH_DELIMITED, type WireField, WireReader } from './wire.js';

// Fields that a newer TensorFlow adds must survive a round trip.
protobuf.Reader.discardUnknown = false;

/** NodeDefs above this size are decoded without the payload of a constant, which stays in the file. */
const LAZY_BYTES = 16 * 1024;

/** Reads the GraphDef in [start, end) of a source. Payloads of large constants stay in the source. */
export function readGraphDef(source: ByteSource, start = 0, end = source.size): Graph {
  const reader = new WireReader(source);
  const names = new Names();
  const graph = new Graph();
  const rest = new GatheredFields();
  for (const field of reader.fields(start, end)) {
    if (field.number === 1 && field.wireType === LENGTH_DELIMITED) {
      addNode(graph, readNode(reader, field, names), source.name);
    } else {
      rest.add(field);
    }
  }
  graph.setHeader(frameOf(decode(source, () => tensorflow.GraphDef.decode(rest.read(reader)))));
  return graph;
}

/** The graph of a decoded GraphDef (from text, or the body of a function). */
export function graphOfProto(proto: tensorflow.GraphDef.$Properties, where: string): Graph {
  const names = new Names();
  const graph = new Graph([], frameOf(proto));
  for (const node of proto.node ?? []) addNode(graph, nodeSpec(node, where, undefined, names), where);
  return graph;
}

function addNode(graph: Graph, node: NodeSpec, where: string): void {
  if (graph.has(node.name)) throw corruptGraph(where, `two nodes are named ${node.name}`);
  graph.add(node);
}

function frameOf(proto: tensorflow.GraphDef.$Properties): GraphHeader {
  return {
    versions: proto.versions ?? undefined,
    version: proto.version ?? undefined,
    library: proto.library ?? undefined,
    debugInfo: proto.debug_info ?? undefined,
    unknowns: proto.$unknowns,
  };
}

/**
 * One string object per name, however often it is read: looking up a node by the string of its consumers is then fast,
 * since identical strings need no comparison.
 */
class Names {
  readonly #known = new Map<string, string>();

  of(name: string): string {
    const known = this.#known.get(name);
    if (known === undefined) this.#known.set(name, name);
    return known ?? name;
  }
}

/** A NodeDef as a node: edges parsed, the payload of a Const taken out of its attrs. */
export function nodeSpec(
  proto: tensorflow.NodeDef.$Properties,
  where: string,
  payload?: Tensor,
  names = new Names(),
): NodeSpec {
  return { ...headSpec(proto, where, names), ...contentOf(proto, where, payload) };
}

function headSpec(proto: tensorflow.NodeHead.$Properties, where: string, names: Names): NodeSpec {
  const inputs: TensorRef[] = [];
  const controls: string[] = [];
  for (const text of proto.input ?? []) {
    const { node, port } = parseInput(text);
    if (port === undefined) controls.push(names.of(node));
    else if (controls.length === 0) inputs.push({ node: names.of(node), port });
    else
      throw corruptGraph(
        where,
        `${proto.name} reads ${text} after a control input`,
        'TensorFlow wants data inputs first',
      );
  }
  const [name, op, device] = [proto.name, proto.op, proto.device].map((text) => names.of(text ?? ''));
  return {
    name: name!,
    op: op!,
    device: device!,
    inputs: exact(inputs, NO_INPUTS),
    controls: exact(controls, NO_CONTROLS),
  };
}

/** A copy without spare capacity, or the list that all empty ones share: a graph has 100,000 of them. */
function exact<T>(list: readonly T[], empty: readonly T[]): readonly T[] {
  return list.length === 0 ? empty : list.slice();
}

function contentOf(proto: tensorflow.NodeDef.$Properties, where: string, payload?: Tensor): NodeContent {
  let attr = proto.attr ?? {};
  refuseInvalidAttrs(attr, `${proto.name} (${proto.op})`, where);
  let tensor = payload;
  if (!tensor && proto.op === 'Const' && attr.value?.tensor) {
    tensor = protoTensor(attr.value.tensor, `${proto.name} in ${where}`);
    const { value, ...others } = attr;
    // What later versions of TensorFlow may add beside the tensor stays.
    const unknowns = value.$unknowns ?? [];
    attr = unknowns.length === 0 ? others : { ...others, value: { $unknowns: unknowns } };
  }
  const type = attr.dtype?.type;
  if (tensor && type && type !== tensor.dtype) {
    const [declared, stored] = [type, tensor.dtype].map((each) => dtypeName(each as DataType));
    throw corruptGraph(where, `the constant ${proto.name} has ${stored} values, but the dtype ${declared}`);
  }
  return {
    attr,
    tensor,
    unknowns: proto.$unknowns,
    debugInfo: proto.experimental_debug_info ?? undefined,
    fullType: proto.experimental_type ?? undefined,
  };
}

/** A NodeDef that is decoded on first access: the gradients and savers of a training graph never are. */
class StoredContent implements NodeContent {
  readonly #where: string;
  /** A view for each of 100,000 nodes takes more memory than the three numbers that it consists of. */
  readonly #start: number;
  readonly #length: number;
  #stored: ArrayBufferLike | NodeContent;

  constructor(bytes: Uint8Array, where: string) {
    this.#stored = bytes.buffer;
    this.#start = bytes.byteOffset;
    this.#length = bytes.byteLength;
    this.#where = where;
  }

  get attr() {
    return this.#decoded().attr;
  }

  get tensor() {
    return this.#decoded().tensor;
  }

  get unknowns() {
    return this.#decoded().unknowns;
  }

  get debugInfo() {
    return this.#decoded().debugInfo;
  }

  get fullType() {
    return this.#decoded().fullType;
  }

  #decoded(): NodeContent {
    const stored = this.#stored;
    if ('attr' in stored) return stored;
    const bytes = new Uint8Array(stored, this.#start, this.#length);
    const proto = decode({ name: this.#where }, () => tensorflow.NodeDef.decode(bytes));
    const content = contentOf(proto, this.#where);
    this.#stored = content;
    return content;
  }
}

/** Name, op, device and edges of a NodeDef. */
function nodeHead(bytes: Uint8Array, where: string): tensorflow.NodeHead {
  const reader = protobuf.Reader.create(bytes);
  reader.discardUnknown = true;
  return decode({ name: where }, () => tensorflow.NodeHead.decode(reader));
}

function readNode(reader: WireReader, field: WireField, names: Names): NodeSpec {
  const { source } = reader;
  if (field.length <= LAZY_BYTES) {
    const bytes = reader.bytes(field.offset, field.length);
    const content = new StoredContent(bytes, source.name);
    return { ...headSpec(nodeHead(bytes, source.name), source.name, names), content };
  }
  const small = new GatheredFields();
  let payload: Tensor | undefined;
  for (const part of reader.fields(field.offset, field.offset + field.length)) {
    const lazy = part.number === 5 && part.length > LAZY_BYTES ? lazyAttr(reader, part) : undefined;
    if (lazy) payload = lazy;
    else small.add(part);
  }
  const bytes = small.read(reader);
  const proto = decode(source, () => tensorflow.NodeDef.decode(bytes));
  if (!payload || !proto.attr.value) return nodeSpec(proto, source.name, payload, names);
  // Of several entries for one key, the last one counts.
  const whole = reader.bytes(field.offset, field.length);
  return nodeSpec(
    decode(source, () => tensorflow.NodeDef.decode(whole)),
    source.name,
    undefined,
    names,
  );
}

/** The attr entry `value: { tensor }` as a handle; undefined for another attr, or if the elements are not raw. */
function lazyAttr(reader: WireReader, entry: WireField): Tensor | undefined {
  const parts = fieldsOf(reader, entry);
  const [key, value] = [1, 2].map((number) => parts.find((field) => field.number === number));
  if (!key || !value || parts.length > 2) return undefined;
  if (new TextDecoder().decode(reader.bytes(key.offset, key.length)) !== 'value') return undefined;
  const [tensor, ...others] = fieldsOf(reader, value);
  return tensor?.number === 8 && others.length === 0 ? lazyTensor(reader, tensor) : undefined;
}

function fieldsOf(reader: WireReader, field: WireField): WireField[] {
  return [...reader.fields(field.offset, field.offset + field.length)];
}

/** Field of the typed list whose packed form is the raw form, by dtype. */
const PACKED_FIELDS: Partial<Record<DataType, number>> = { [DataType.DT_FLOAT]: 5, [DataType.DT_DOUBLE]: 6 };

/** dtype, tensor_shape and version_number; anything else is in the way of the elements. */
const LAST_PLAIN_FIELD = 3;

/** A handle on a TensorProto whose elements are raw bytes in the file. */
function lazyTensor(reader: WireReader, field: WireField): Tensor | undefined {
  const small = new GatheredFields();
  let content: WireField | undefined;
  let isPlain = true;
  for (const part of reader.fields(field.offset, field.offset + field.length)) {
    if (!content && part.length > LAZY_BYTES) {
      content = part;
      continue;
    }
    small.add(part);
    isPlain &&= part.number <= LAST_PLAIN_FIELD;
  }
  const head = tensorflow.TensorProto.decode(small.read(reader));
  const dtype = (head.dtype ?? DataType.DT_INVALID) as DataType;
  const shape = shapeOf(head.tensor_shape) ?? [];
  if (!isPlain || !content) return undefined;
  const isRaw = content.number === 4 || content.number === PACKED_FIELDS[dtype];
  if (!isRaw || byteSize(dtype, shape) !== content.length) return undefined;
  return fileTensor(reader.source, content.offset, content.length, dtype, shape);
}

/** A tensor whose raw little-endian bytes are in one range of a source, without a checksum. */
function fileTensor(
  source: ByteSource,
  offset: number,
  byteLength: number,
  dtype: DataType,
  shape: readonly number[],
): Tensor {
  function* chunks(ring = new ChunkRing()): Generator<Uint8Array> {
    for (let at = 0; at < byteLength; at += CHUNK_BYTES) {
      const chunk = ring.next(Math.min(CHUNK_BYTES, byteLength - at), offset + at);
      source.readInto(chunk, offset + at);
      yield chunk;
    }
  }
  const strings = (): never => {
    throw new BnfixError('internal', 'a numeric tensor has no strings');
  };
  return { dtype, shape, byteLength, chunks, strings, origin: source.name };
}

/** Decodes a message; the error for a malformed one names its file. */
export function decode<T>(source: { name: string }, decoder: () => T): T {
  try {
    return decoder();
  } catch (cause) {
    throw new BnfixError('unreadable', `${source.name} is not a complete protobuf file`, {
      where: source.name,
      why: (cause as Error).message,
      fix: 'the file is truncated or corrupt: copy or save it again',
      cause,
    });
  }
}
