import { describe, expect, it } from 'vitest';
import { channelAt, scaledTensor, visitNumbers } from '../../src/analysis/folding/scaled_tensor.js';
import { DataType } from '../../src/graph/dtype.js';
import { numberTensor, rawTensor, readBytes, readNumbers, type Tensor } from '../../src/graph/tensor.js';

/** The same tensor, read in chunks of the given size, in one buffer that is used again. */
function chunked(tensor: Tensor, size: number): Tensor {
  const bytes = readBytes(tensor);
  return {
    ...tensor,
    chunks: function* () {
      const buffer = Buffer.alloc(size + 1);
      for (let at = 0; at < bytes.length; at += size) {
        const part = bytes.subarray(at, at + size);
        buffer.set(part, 1);
        yield buffer.subarray(1, 1 + part.length);
      }
    },
  };
}

const term = (stride: number, size: number, times = 1) => ({ stride, size, times });
const FACTORS = Float64Array.of(2, -0.5, 0);

describe('scaledTensor', () => {
  const numbers = Array.from({ length: 24 }, (_, i) => i + 0.5);

  it.each([
    ['last dimension', [4, 2, 3], [term(1, 3)], (i: number) => i % 3],
    ['middle dimension', [4, 3, 2], [term(2, 3)], (i: number) => Math.floor(i / 2) % 3],
    ['first dimension', [3, 8], [term(8, 3)], (i: number) => Math.floor(i / 8)],
  ] as const)('scales the %s, however the bytes are cut', (_, shape, terms, channel) => {
    const expected = numbers.map((x, i) => x * FACTORS[channel(i)]!);
    for (const dtype of [DataType.DT_FLOAT, DataType.DT_DOUBLE, DataType.DT_HALF, DataType.DT_BFLOAT16]) {
      for (const size of [1, 3, 7, 64, 1000]) {
        const tensor = chunked(numberTensor(dtype, shape, numbers), size);
        const scaled = scaledTensor(tensor, { values: FACTORS, terms });
        expect([...readNumbers(scaled)]).toEqual(expected);
        expect(scaled.shape).toEqual(shape);
        expect(readBytes(scaled).length).toBe(tensor.byteLength);
      }
    }
  });

  it('leaves the numbers that it reads as they are', () => {
    const tensor = numberTensor(DataType.DT_FLOAT, [3], [1, 2, 3]);
    readBytes(scaledTensor(tensor, { values: FACTORS, terms: [term(1, 3)] }));
    expect([...readNumbers(tensor)]).toEqual([1, 2, 3]);
  });

  it('rounds once, however often it is scaled', () => {
    const third = Float64Array.of(1 / 3);
    let tensor: Tensor = numberTensor(DataType.DT_FLOAT, [1], [1e-3]);
    for (let i = 0; i < 5; i++) tensor = scaledTensor(tensor, { values: third, terms: [] });
    const value = Math.fround(1e-3);
    expect(readNumbers(tensor)[0]).toBe(Math.fround(value * (((((1 / 3) * 1) / 3) * 1) / 3) * (1 / 3) * (1 / 3)));
  });

  it('visits numbers that are not rounded', () => {
    const tensor = scaledTensor(numberTensor(DataType.DT_HALF, [2], [1, 3]), {
      values: Float64Array.of(1 / 3),
      terms: [],
    });
    const seen: number[] = [];
    visitNumbers(tensor, (value, flat) => seen.push(value, flat));
    expect(seen).toEqual([1 / 3, 0, 1, 1]);
  });

  it('counts channels over groups', () => {
    // Two groups of two input channels each, four outputs: [1, 1, 2, 4].
    const terms = [term(4, 2), term(2, 2, 2)];
    expect(Array.from({ length: 8 }, (_, i) => channelAt(terms, i))).toEqual([0, 0, 2, 2, 1, 1, 3, 3]);
  });

  it('keeps what the tensor says of itself', () => {
    const tensor = { ...rawTensor(DataType.DT_FLOAT, [1], new Uint8Array(4)), origin: 'here' };
    const scaled = scaledTensor(tensor, { values: FACTORS, terms: [] });
    expect(scaled.origin).toBe('here');
    expect(scaled.proto).toBeUndefined();
  });
});
