import type Long from 'long';

/** An int64 field as a number, rounded beyond 2^53. Not Number(): that converts a Long to text first. */
export function int64(value: number | Long | null | undefined): number {
  if (value === null || value === undefined) return 0;
  return typeof value === 'object' ? value.toNumber() : Number(value);
}
