import { BnfixError } from '../errors.js';
import { byteString } from '../io/bytes.js';
import type { ByteSource } from '../io/source.js';
import { LENGTH_DELIMITED, type WireField, WireReader } from './wire.js';

/** The protobuf messages that are recognised by their fields. */
export type MessageKind = 'graph_def' | 'meta_graph' | 'saved_model' | 'onnx';

const VARINT = 0;
/** Number of fields to read: enough to meet a distinctive one; a graph has thousands. */
const MAX_FIELDS = 64;
const MAX_TEXT_BYTES = 1024;

/**
 * Detects the type of a protobuf message from its first fields; the wire format has only their numbers and
 * types. Reads field headers and skips values. A truncated file is recognised by the fields that it has.
 */
export function sniffMessage(source: ByteSource): MessageKind | undefined {
  const reader = new WireReader(source);
  const fields = firstFields(reader, 0, source.size);
  const first = fields.find(({ number }) => number === 1);
  if (first?.wireType !== VARINT) return graphKind(reader, fields);
  if (isSavedModel(reader, fields)) return 'saved_model';
  return fields.some(({ number, wireType }) => number === 7 && wireType === LENGTH_DELIMITED) ? 'onnx' : undefined;
}

/** SavedModel: 1 schema version (1), 2 MetaGraphDef. ONNX ModelProto: 1 IR version, 2 producer's name, 7 graph. */
function isSavedModel(reader: WireReader, fields: readonly WireField[]): boolean {
  return fields.every(({ number, wireType, offset }) => {
    if (number === 1) return reader.bytes(offset, 1)[0] === 1;
    return number === 2 && wireType === LENGTH_DELIMITED;
  });
}

/**
 * GraphDef: 1 NodeDef, 2 FunctionDefLibrary, 3 version (a number), 4 VersionDef.
 * MetaGraphDef: 1 MetaInfoDef, 2 GraphDef, 3 SaverDef, and from 4 on maps and lists of messages.
 */
function graphKind(
  reader: WireReader,
  fields: readonly WireField[],
  isNested = false,
): 'graph_def' | 'meta_graph' | undefined {
  for (const field of fields) {
    const isMessage = field.wireType === LENGTH_DELIMITED;
    if (!isMessage && !(field.wireType === VARINT && field.number === 3)) return undefined;
    const inner = isMessage ? fieldsIn(reader, field) : [];
    switch (field.number) {
      case 1:
        if (isNode(reader, inner)) return 'graph_def';
        if (isMetaInfo(reader, inner)) return 'meta_graph';
        break;
      case 2:
        if (!isNested && graphKind(reader, inner, true) === 'graph_def') return 'meta_graph';
        break;
      case 3:
        return isMessage ? 'meta_graph' : 'graph_def';
      case 4:
        // VersionDef begins with a number, an entry of the map collection_def with its key.
        if (inner[0]?.wireType === VARINT) return 'graph_def';
        if (inner[0]?.wireType === LENGTH_DELIMITED) return 'meta_graph';
        break;
    }
  }
  return undefined;
}

/** NodeDef: 1 name, 2 op. */
function isNode(reader: WireReader, fields: readonly WireField[]): boolean {
  const [name, op] = [1, 2].map((number) => fields.find((field) => field.number === number));
  if (!name || !op) return false;
  return textOf(reader, name) !== undefined && /^[A-Za-z_][\w>.]*$/.test(textOf(reader, op) ?? '');
}

/** MetaInfoDef: 1 version, 2 OpList, 3 Any, 4 tags, 5 and 6 TensorFlow's version, 7 a flag, 8 a map. */
function isMetaInfo(reader: WireReader, fields: readonly WireField[]): boolean {
  const ops = fields.find(({ number }) => number === 2);
  if (ops) return isOpList(fieldsIn(reader, ops)) || ops.length === 0;
  return fields.some(({ number, wireType }) => (number === 7 ? wireType === VARINT : number >= 4 && number <= 6));
}

function isOpList(fields: readonly WireField[]): boolean {
  return fields.length > 0 && fields.every(({ number, wireType }) => number === 1 && wireType === LENGTH_DELIMITED);
}

/** A short printable string; undefined if the field is something else. */
function textOf(reader: WireReader, { wireType, offset, length }: WireField): string | undefined {
  if (wireType !== LENGTH_DELIMITED || length === 0 || length > MAX_TEXT_BYTES) return undefined;
  const text = byteString(reader.bytes(offset, length));
  return /^[\x20-\x7e]*$/.test(text) ? text : undefined;
}

function fieldsIn(reader: WireReader, { offset, length }: WireField): WireField[] {
  return firstFields(reader, offset, offset + length);
}

/** The first fields of a message, up to the first malformed one. */
function firstFields(reader: WireReader, start: number, end: number): WireField[] {
  const fields: WireField[] = [];
  try {
    for (const field of reader.fields(start, end)) {
      fields.push(field);
      if (fields.length === MAX_FIELDS) break;
    }
  } catch (error) {
    if (!(error instanceof BnfixError)) throw error;
  }
  return fields;
}
