import { roundHalfToEven } from '../../graph/rounding.js';
import type { Numbers } from './recode.js';

/** From here on, a number becomes infinite, or is none. */
const TOO_LARGE = 0x47800000;
const INFINITE = 0x7f800000;
/** The smallest normal float16, 2^-14. */
const SMALLEST_NORMAL = 0x38800000;

/** Writes numbers as float16, rounded to the nearest, a half to even: many times faster than a typed array of float16. */
export function storeHalves(numbers: Numbers, out: Uint8Array): void {
  const floats = numbers instanceof Float32Array ? numbers : new Float32Array(numbers);
  const bits = new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
  const halves = new Uint16Array(out.buffer, out.byteOffset, bits.length);
  for (let i = 0; i < bits.length; i++) {
    const x = bits[i]!;
    const sign = (x >>> 16) & 0x8000;
    const size = x & 0x7fffffff;
    if (size >= TOO_LARGE) halves[i] = sign | (size > INFINITE ? 0x7e00 : 0x7c00);
    else if (size < SMALLEST_NORMAL) halves[i] = sign | roundHalfToEven(Math.abs(floats[i]!) * 2 ** 24);
    // The exponent has another bias; what is added rounds the 13 bits that are dropped.
    else halves[i] = sign | ((size - 0x38000000 + 0xfff + ((size >>> 13) & 1)) >>> 13);
  }
}
