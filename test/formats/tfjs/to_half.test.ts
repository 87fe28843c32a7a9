import { expect, it } from 'vitest';
import { storeHalves } from '../../../src/formats/tfjs/to_half.js';
import { DataType } from '../../../src/graph/dtype.js';
import { ENCODERS } from '../../../src/graph/number_codecs.js';

/** The halves around which numbers are rounded, and the floats beside the middle of two. */
function floats(): Float32Array {
  const bits: number[] = [];
  for (let exponent = 100; exponent < 150; exponent++) {
    for (const fraction of [
      0, 1, 0xfff, 0x1000, 0x1001, 0x1fff, 0x2000, 0x2fff, 0x3000, 0x3001, 0x7fefff, 0x7ff000, 0x7fffff,
    ]) {
      bits.push((exponent << 23) | fraction, ((exponent << 23) | fraction | 0x80000000) >>> 0);
    }
  }
  bits.push(0, 0x80000000, 1, 0x7f800000, 0xff800000, 0x477fefff, 0x477ff000);
  return new Float32Array(Uint32Array.from(bits).buffer);
}

it('rounds as a typed array of float16 does', () => {
  const numbers = floats();
  const expected = new Uint16Array((ENCODERS[DataType.DT_HALF]!(numbers) as Uint8Array).buffer);
  for (const input of [numbers, Float64Array.from(numbers)]) {
    const out = new Uint8Array(numbers.length * 2);
    storeHalves(input, out);
    expect([...new Uint16Array(out.buffer)]).toEqual([...expected]);
  }
});

it('keeps what is not a number', () => {
  const out = new Uint8Array(2);
  storeHalves(Float32Array.of(Number.NaN), out);
  expect([...out]).toEqual([0x00, 0x7e]);
});
