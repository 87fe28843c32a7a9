import type { AttrValue } from '../graph/attrs.js';
import { DataType } from '../graph/dtype.js';
import { type Node, refText } from '../graph/node.js';
import { narrowedType } from './tfjs.js';

/** An attr in protobuf's JSON form; it has only the field of its kind. */
export type AttrJson = Record<string, unknown>;

/** A NodeDef in protobuf's JSON form, as a topology of TensorFlow.js has it. */
export interface NodeJson {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr: Readonly<Record<string, AttrJson>>;
}

/** A node without the value of a constant, with dtypes that TensorFlow.js has. */
export function nodeJson(node: Node): NodeJson {
  const input = [...node.inputs.map(refText), ...node.controls.map((name) => `^${name}`)];
  const attr: Record<string, AttrJson> = {};
  for (const [key, value] of Object.entries(node.attr)) attr[key] = attrJson(value);
  return { name: node.name, op: node.op, ...(input.length > 0 && { input }), attr };
}

/** The name of the dtype that TensorFlow.js has for a DataType: `DT_FLOAT`. */
export function typeJson(type: number): string {
  return DataType[narrowedType(type as DataType)] ?? 'DT_INVALID';
}

type ShapeJson = { unknownRank: true } | { dim: { size: string }[] };

/** A TensorShapeProto. */
export function shapeJson(shape: NonNullable<AttrValue['shape']>): ShapeJson {
  if (shape.unknown_rank) return { unknownRank: true };
  return { dim: (shape.dim ?? []).map((dim) => ({ size: String(dim.size ?? 0) })) };
}

const base64 = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');

/** JSON has no numbers for these. */
function floatJson(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

function attrJson(value: AttrValue): AttrJson {
  if (value.s != null) return { s: base64(value.s) };
  if (value.i != null) return { i: String(value.i) };
  if (value.f != null) return { f: floatJson(value.f) };
  if (value.b != null) return { b: value.b };
  if (value.type != null) return { type: typeJson(value.type) };
  if (value.shape != null) return { shape: shapeJson(value.shape) };
  if (value.func != null) return { func: { name: value.func.name ?? '' } };
  if (value.list != null) return { list: listJson(value.list) };
  return {};
}

function listJson(list: NonNullable<AttrValue['list']>): AttrJson {
  if (list.s?.length) return { s: list.s.map(base64) };
  if (list.i?.length) return { i: list.i.map(String) };
  if (list.f?.length) return { f: list.f.map(floatJson) };
  if (list.b?.length) return { b: [...list.b] };
  if (list.type?.length) return { type: list.type.map(typeJson) };
  if (list.shape?.length) return { shape: list.shape.map(shapeJson) };
  return {};
}
