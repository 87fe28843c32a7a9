import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { channelAt, scaledTensor, visitNumbers } from '../../src/analysis/folding/scaled_tensor.js';
import { DataType } from '../../src/graph/dtype.js';
import { numberTensor, rawTensor, readBytes, readNumbers, type Tensor } from '../../src/graph/tensor.js';
import { randomRuns } from '../support/random.js';

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

describe('scaledTensor, whatever the shape', () => {
  const shapes = fc.array<number>(fc.constantFrom(1, 2, 3, 8, 11), { minLength: 3, maxLength: 3 });
  const axes = fc.tuple(fc.nat(2), fc.nat(2), fc.boolean(), fc.boolean());
  const dtypes = fc.constantFrom(DataType.DT_FLOAT, DataType.DT_DOUBLE, DataType.DT_HALF, DataType.DT_BFLOAT16);

  /** The indices of an element. */
  const indexOf = (shape: readonly number[], flat: number) => {
    const [, b, c] = shape as [number, number, number];
    return [Math.floor(flat / (b * c)), Math.floor(flat / c) % b, flat % c] as const;
  };

  it('multiplies each element by the factors of its channels (property)', () => {
    fc.assert(
      fc.property(
        shapes,
        fc.array(axes, { minLength: 1, maxLength: 3 }),
        dtypes,
        fc.nat(40),
        (shape, list, dtype, cut) => {
          const count = shape.reduce((a, b) => a * b, 1);
          const strideOf = (axis: number) => shape.slice(axis + 1).reduce((a, b) => a * b, 1);
          const numbers = Array.from({ length: count }, (_, i) => (i % 13) - 6);
          const expected = [...numbers];
          let tensor: Tensor = chunked(numberTensor(dtype, shape, numbers), cut + 1);
          for (const [first, second, isGrouped, isSpread] of list) {
            // One dimension; two of them, as with groups; or every third number of a longer list.
            const times = isSpread ? 3 : 1;
            const one = term(strideOf(first), shape[first]!, times);
            const two = term(strideOf(second), shape[second]!, shape[first]! * times);
            const terms = isGrouped && first !== second ? [one, two] : [one];
            const values = Float64Array.from(
              { length: shape[first]! * shape[second]! * times },
              (_, i) => 2 ** ((i % 5) - 2),
            );
            for (let flat = 0; flat < count; flat++) {
              const index = indexOf(shape, flat);
              const channel = index[first]! * times + (terms.length > 1 ? index[second]! * shape[first]! * times : 0);
              expected[flat]! *= values[channel]!;
            }
            tensor = scaledTensor(tensor, { values, terms });
          }
          expect([...readNumbers(tensor)]).toEqual(expected);
          const seen: number[] = [];
          visitNumbers(tensor, (value, flat) => {
            seen[flat] = value;
          });
          expect(seen).toEqual(expected);
        },
      ),
      randomRuns(200),
    );
  });

  it('multiplies rows of any length, eight numbers at a time', () => {
    for (const size of [7, 8, 9, 16, 23]) {
      const numbers = Array.from({ length: 3 * size }, (_, i) => i + 1);
      const values = Float64Array.from({ length: size }, (_, i) => i - 3);
      const scaled = scaledTensor(numberTensor(DataType.DT_DOUBLE, [3, size], numbers), {
        values,
        terms: [term(1, size)],
      });
      expect([...readNumbers(scaled)]).toEqual(numbers.map((x, i) => x * ((i % size) - 3)));
    }
  });

  it('of an origin that is unknown has none', () => {
    expect('origin' in scaledTensor(numberTensor(DataType.DT_FLOAT, [1], [1]), { values: FACTORS, terms: [] })).toBe(
      false,
    );
  });
});
