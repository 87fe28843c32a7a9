import { type AttrValue, attr } from '../graph/attrs.js';
import { DataType } from '../graph/dtype.js';
import { shapeProto } from '../graph/tensor.js';
import { DTYPES, type Literal } from './literals.js';
import type { Value } from './syntax.js';
import { notationError } from './tokens.js';

/** The attr of a value. Lists are shapes under the key `shape`, and lists of ints under others. */
export function attrOf(key: string, value: Value): AttrValue {
  const { items, prefix, token } = value;
  if (prefix === '@') return { func: { name: token.text } };
  if (/(^|_)shapes$/.test(key) && items) return { list: { shape: items.map(shapeOf) } };
  const isOpen = isUnknown(value) || (items ?? []).some(isUnknown);
  if (isOpen || prefix === 'shape' || (prefix !== 'ints' && items && isShapeKey(key))) return { shape: shapeOf(value) };
  if (!items) return scalarAttr(value);
  const list: Record<string, unknown[]> = {};
  for (const [kind, element] of items.flatMap((item) => Object.entries(scalarAttr(item)))) {
    list[kind] ??= [];
    list[kind].push(element);
  }
  if (Object.keys(list).length > 1) throw notationError(token.line, `${key} lists values of several kinds`);
  return { list };
}

/** Whether a list under this key is a shape, without being marked as one. */
export function isShapeKey(key: string): boolean {
  return /(^|_)shape$/.test(key);
}

function isUnknown({ token }: Value): boolean {
  return token.kind === 'mark' && token.text === '?';
}

function shapeOf(value: Value) {
  return shapeProto(isUnknown(value) ? undefined : sizesOf(value));
}

/** The sizes of a list such as `[?, 8]`; -1 for unknown ones. */
export function sizesOf({ items = [] }: Value): number[] {
  return items.map((item) => (isUnknown(item) ? -1 : Number(item.token.text)));
}

function scalarAttr({ token, prefix }: Value): AttrValue {
  const { kind, text, quoted } = token;
  if (prefix === '@') return { func: { name: text } };
  if (kind === 'number') return isWhole(text) ? attr.int(Number(text)) : attr.float(Math.fround(numberOf(text)));
  if (kind === 'text') return attr.string(text);
  if (!quoted && /^(true|false)$/.test(text)) return attr.bool(text === 'true');
  const dtype = quoted ? undefined : DTYPES.get(text);
  return dtype === undefined ? attr.string(text) : attr.type(dtype);
}

/** Parses a constant. */
export function literalOf({ token, items }: Value): Literal {
  const { kind, text, line } = token;
  if (!items) {
    const one = (element: Literal['elements'][number], dtype: DataType) => ({
      shape: [],
      elements: [element],
      dtype,
      line,
    });
    if (kind === 'text') return one(text, DataType.DT_STRING);
    if (kind === 'number') return one(numberOf(text), isWhole(text) ? DataType.DT_INT32 : DataType.DT_FLOAT);
    if (/^(true|false)$/.test(text)) return one(text === 'true', DataType.DT_BOOL);
    throw notationError(line, `${text} is not a valid value of a constant`);
  }
  const rows = items.map(literalOf);
  const shape = rows[0]?.shape ?? [];
  if (rows.some((row) => row.shape.join() !== shape.join())) throw notationError(line, 'rows of different lengths');
  const dtypes = new Set(rows.map((row) => row.dtype));
  return {
    shape: [rows.length, ...shape],
    elements: rows.flatMap((row) => row.elements),
    // As in tf.constant, an empty list and a mixture of numbers are float32.
    dtype: dtypes.size === 1 ? rows[0]!.dtype : DataType.DT_FLOAT,
    line,
  };
}

function isWhole(text: string): boolean {
  return /^-?\d+$/.test(text);
}

function numberOf(text: string): number {
  return Number(text.replace('inf', 'Infinity').replace(/-?nan/, 'NaN'));
}
