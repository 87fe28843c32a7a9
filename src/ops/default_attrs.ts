import { type AttrMap, type AttrValue, attr } from '../graph/attrs.js';
import { opInfo } from './registry.js';

/** The default of an attr, and the version of TensorFlow that added the attr. */
export interface DefaultAttr {
  readonly value: AttrValue;
  /** VersionDef.producer; 0 if the attr is as old as its op, or known to TensorFlow 1.13. */
  readonly since: number;
}

const parsed = new Map<string, ReadonlyMap<string, DefaultAttr>>();
const NONE: ReadonlyMap<string, DefaultAttr> = new Map();

/**
 * The attrs of an op that may be omitted, with their values then, as far as all versions of TensorFlow agree on them.
 * Empty for custom ops.
 */
export function defaultAttrs(op: string): ReadonlyMap<string, DefaultAttr> {
  let known = parsed.get(op);
  if (!known) {
    const words = opInfo(op)?.defaults;
    known = words && words.size > 0 ? new Map([...words].map(([key, text]) => [key, parseDefault(text)])) : NONE;
    parsed.set(op, known);
  }
  return known;
}

function parseDefault(text: string): DefaultAttr {
  const [value, since] = text.split('@') as [string, string | undefined];
  return { value: parseValue(value), since: Number(since ?? 0) };
}

/** `b1`, `i8`, `f0.5`, `sNHWC` (percent-encoded), `?` and `(1,2)` (shapes), `[]`, `[i1,1]`, `[t1]`; a number is a type. */
function parseValue(text: string): AttrValue {
  const rest = text.slice(1);
  switch (text[0]) {
    case 'b':
      return attr.bool(rest === '1');
    case 'i':
      return attr.int(Number(rest));
    case 'f':
      return attr.float(Math.fround(Number(rest)));
    case 's':
      return attr.string(decodeURIComponent(rest));
    case '?':
      return attr.shape(undefined);
    case '(':
      return attr.shape(numbersIn(rest));
    case '[':
      return { list: listOf(rest) };
    default:
      return attr.type(Number(text));
  }
}

function listOf(text: string): NonNullable<AttrValue['list']> {
  if (text === ']') return {};
  const numbers = numbersIn(text.slice(1));
  return text.startsWith('t') ? { type: numbers } : { i: numbers };
}

/** The numbers before the closing bracket. */
function numbersIn(text: string): number[] {
  const inside = text.slice(0, -1);
  return inside === '' ? [] : inside.split(',').map(Number);
}

/** Whether two attrs are equal. */
export type SameAttr = (a: AttrValue, b: AttrValue) => boolean;

/**
 * The attrs of a node with those that were omitted, and without those that are newer than its graph. An attr that was added
 * to its op later stays omitted: an older TensorFlow refuses it.
 * @param producer - the version of the TensorFlow that wrote the graph (VersionDef.producer); 0 if unknown
 * @param isSame - compares attrs
 * @returns undefined if nothing changes
 */
export function explicitAttrs(op: string, attrs: AttrMap, producer: number, isSame: SameAttr): AttrMap | undefined {
  let changed: Record<string, AttrValue> | undefined;
  for (const [key, { value, since }] of defaultAttrs(op)) {
    const given = attrs[key];
    if (given === undefined) {
      if (since > 0) continue;
      changed ??= { ...attrs };
      changed[key] = value;
    } else if (producer > 0 && since > producer && isSame(given, value)) {
      changed ??= { ...attrs };
      delete changed[key];
    }
  }
  return changed;
}
