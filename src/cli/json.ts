import { safeJson } from '../printable.js';

/** The lines of a value as JSON. Absent details are null, so that the shape is always the same. */
export function jsonLines(value: unknown): string[] {
  return safeJson(JSON.stringify(value, nullForUndefined, 2)).split('\n');
}

function nullForUndefined(_key: string, value: unknown): unknown {
  return value === undefined ? null : value;
}
