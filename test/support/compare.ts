import { numbersOf, stringsOf, type TensorValue } from '../../src/run/value.js';

/** Largest difference, relative to the larger of 1 and the largest expected value; infinite when shapes differ. */
export function difference(actual: TensorValue, expected: TensorValue): number {
  if (actual.shape.join() !== expected.shape.join()) return Number.POSITIVE_INFINITY;
  if (expected.dtype === 'string') {
    const texts = (value: TensorValue) => stringsOf(value).map((text) => Buffer.from(text).toString('hex'));
    return texts(actual).join() === texts(expected).join() ? 0 : Number.POSITIVE_INFINITY;
  }
  const [a, b] = [numbersOf(actual), numbersOf(expected)];
  let most = 0;
  let scale = 1;
  for (let i = 0; i < b.length; i++) {
    if (Object.is(a[i], b[i])) continue;
    const off = Math.abs(a[i]! - b[i]!);
    most = Number.isNaN(off) ? Number.POSITIVE_INFINITY : Math.max(most, off);
    scale = Math.max(scale, Math.abs(b[i]!));
  }
  return most / scale;
}

/** The element at an index. */
export function elementAt(value: TensorValue, index: readonly number[]): number {
  const flat = index.reduce((at, i, dimension) => at * value.shape[dimension]! + i, 0);
  return numbersOf(value)[flat]!;
}
