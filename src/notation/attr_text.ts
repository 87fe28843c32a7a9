import type { AttrValue } from '../graph/attrs.js';
import { type DataType, dtypeName } from '../graph/dtype.js';
import { int64 } from '../graph/numbers.js';
import { shapeOf } from '../graph/tensor.js';
import { DTYPES, floatText, quotedText } from './literals.js';
import { nameText } from './tokens.js';
import { isShapeKey } from './values.js';

/** The value of an attr in the notation; a placeholder like `<tensor>`, which cannot be parsed, if it has none. */
export function attrText(key: string, value: AttrValue): string {
  if (value.shape) return shapeText(shapeOf(value.shape), isShapeKey(key));
  if (!value.list) return scalarText(value) ?? unknownText(value);
  const { list } = value;
  const shapes = list.shape ?? [];
  if (shapes.length > 0) {
    return /(^|_)shapes$/.test(key)
      ? `[${shapes.map((shape) => shapeText(shapeOf(shape), true)).join(', ')}]`
      : '<shapes>';
  }
  const scalars: AttrValue[] = [
    ...(list.i ?? []).map((i) => ({ i })),
    ...(list.f ?? []).map((f) => ({ f })),
    ...(list.b ?? []).map((b) => ({ b })),
    ...(list.s ?? []).map((s) => ({ s })),
    ...(list.type ?? []).map((type) => ({ type })),
    ...(list.func ?? []).map((func) => ({ func })),
  ];
  const texts = scalars.map(scalarText);
  if (texts.includes(undefined) || (list.tensor ?? []).length > 0) return '<list>';
  return `${isShapeKey(key) ? 'ints' : ''}[${texts.join(', ')}]`;
}

function shapeText(shape: readonly number[] | undefined, isPlain: boolean): string {
  if (shape === undefined) return '?';
  const text = `[${shape.map((size) => (size < 0 ? '?' : String(size))).join(', ')}]`;
  return isPlain || text.includes('?') ? text : `shape${text}`;
}

function scalarText({ b, i, f, s, type, func }: AttrValue): string | undefined {
  if (b != null) return String(b);
  if (i != null) return String(int64(i));
  if (f != null) return floatText(f);
  if (s != null) return stringText(s);
  if (type != null) return dtypeName(type as DataType);
  return func && Object.keys(func.attr ?? {}).length === 0 ? `@${nameText(func.name ?? '')}` : undefined;
}

/** A string, without quotes if it cannot be mistaken for anything else. */
function stringText(bytes: Uint8Array): string | undefined {
  const text = quotedText(bytes);
  const plain = text?.slice(1, -1) ?? '';
  const isWord = /^[A-Za-z]\w*$/.test(plain) && !DTYPES.has(plain) && !/^(true|false|inf|nan)$/.test(plain);
  return isWord ? plain : text;
}

function unknownText({ tensor, func, s }: AttrValue): string {
  if (tensor) return '<tensor>';
  if (func) return '<function>';
  return s ? '<bytes>' : '<none>';
}
