/** JSON has no undefined: absent details are null, so that the shape is always the same. For `JSON.stringify`. */
export function nullForUndefined(_key: string, value: unknown): unknown {
  return value === undefined ? null : value;
}
