import type { tensorflow } from '../proto/tensorflow.js';
import type { DataType } from './dtype.js';
import { int64 } from './numbers.js';
import { shapeOf, shapeProto } from './tensor.js';

/** An AttrValue or its plain-object form. */
export type AttrValue = tensorflow.AttrValue.$Properties;
/** The attrs of a node by key. */
export type AttrMap = Readonly<Record<string, AttrValue>>;

interface Attributed {
  readonly attr: AttrMap;
}

const utf8 = new TextDecoder();
const encoder = new TextEncoder();

/** The value of a bool attr; undefined if absent (the op's default applies). */
export function attrBool(node: Attributed, key: string): boolean | undefined {
  return node.attr[key]?.b ?? undefined;
}

/** The value of an int attr; undefined if absent. */
export function attrInt(node: Attributed, key: string): number | undefined {
  const value = node.attr[key]?.i;
  return value == null ? undefined : int64(value);
}

/** The value of a float attr; undefined if absent. */
export function attrFloat(node: Attributed, key: string): number | undefined {
  return node.attr[key]?.f ?? undefined;
}

/** The value of a string attr, decoded as UTF-8; undefined if absent. */
export function attrString(node: Attributed, key: string): string | undefined {
  const value = node.attr[key]?.s;
  return value == null ? undefined : utf8.decode(value);
}

/** The value of a type attr; undefined if absent. */
export function attrType(node: Attributed, key: string): DataType | undefined {
  return (node.attr[key]?.type ?? undefined) as DataType | undefined;
}

/** The value of a list(type) attr; undefined if absent. */
export function attrTypes(node: Attributed, key: string): DataType[] | undefined {
  const list = node.attr[key]?.list;
  return list ? ((list.type ?? []) as DataType[]) : undefined;
}

/** The value of a list(int) attr; undefined if absent. */
export function attrInts(node: Attributed, key: string): number[] | undefined {
  const list = node.attr[key]?.list;
  return list ? (list.i ?? []).map(int64) : undefined;
}

/** A shape attr; -1 for unknown sizes; undefined if the attr is absent or its rank is unknown. */
export function attrShape(node: Attributed, key: string): number[] | undefined {
  return shapeOf(node.attr[key]?.shape);
}

/** The value of a list(shape) attr: undefined if absent; an element is undefined if its rank is unknown. */
export function attrShapes(node: Attributed, key: string): (number[] | undefined)[] | undefined {
  const list = node.attr[key]?.list;
  return list ? (list.shape ?? []).map(shapeOf) : undefined;
}

/** Constructors of AttrValues, named by their kind. */
export const attr = {
  bool: (b: boolean): AttrValue => ({ b }),
  int: (i: number): AttrValue => ({ i }),
  float: (f: number): AttrValue => ({ f }),
  string: (s: string): AttrValue => ({ s: encoder.encode(s) }),
  type: (type: DataType): AttrValue => ({ type: type as number }),
  shape: (shape: readonly number[] | undefined): AttrValue => ({ shape: shapeProto(shape) }),
};
