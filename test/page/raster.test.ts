import { describe, expect, it } from 'vitest';
import { picturedExamples } from '../../src/page/pictured.js';
import { imagesOf, rasterOf, tonalRangeOf } from '../../src/page/raster.js';
import { type TensorValue, tensorValue } from '../../src/run/value.js';

const zeros = (dtype: string, ...shape: number[]) =>
  tensorValue(dtype, shape, new Float64Array(shape.reduce((a, b) => a * b)));
const ramp = (shape: readonly number[], from: number, to: number, dtype = 'float32') => {
  const count = shape.reduce((a, b) => a * b);
  return tensorValue(
    dtype,
    shape,
    Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1)),
  );
};

describe('what looks like images', () => {
  it.each<[string, TensorValue, string | undefined]>([
    ['colour', zeros('float32', 2, 8, 9, 3), '2 of 9x8x3'],
    ['grey', zeros('float32', 1, 28, 28, 1), '1 of 28x28x1'],
    ['channels first', zeros('float32', 2, 3, 8, 9), '2 of 9x8x3'],
    ['bytes', zeros('uint8', 1, 8, 8, 3), '1 of 8x8x3'],
    ['64-bit integers', zeros('int64', 1, 8, 8, 1), '1 of 8x8x1'],
    ['feature maps', zeros('float32', 1, 8, 8, 32), undefined],
    ['small ones', zeros('float32', 1, 7, 8, 3), undefined],
    ['scores', zeros('float32', 4, 10), undefined],
    ['masks', zeros('bool', 1, 8, 8, 1), undefined],
    ['an empty batch', tensorValue('float32', [0, 8, 8, 3], []), undefined],
    ['strings', tensorValue('string', [1, 8, 8, 1], Array(64).fill(new Uint8Array())), undefined],
  ])('%s', (_, value, expected) => {
    const images = imagesOf(value);
    expect(images && `${images.examples} of ${images.width}x${images.height}x${images.channels}`).toBe(expected);
  });
});

describe('the range of images', () => {
  it.each([
    ['0 to 1', ramp([1, 8, 8, 1], 0, 0.9), [0, 1]],
    ['-1 to 1', ramp([1, 8, 8, 1], -0.5, 0.9), [-1, 1]],
    ['pixels', ramp([1, 8, 8, 1], 0, 250), [0, 255]],
    ['bytes', ramp([1, 8, 8, 1], 0, 9, 'uint8'), [0, 255]],
    ['anything else', ramp([1, 8, 8, 1], -3, 5), [-3, 5]],
    ['a constant', ramp([1, 8, 8, 1], 7, 7), [0, 1]],
    ['not finite', tensorValue('float32', [1, 8, 8, 1], Array(64).fill(Number.NaN)), [0, 1]],
  ] as const)('%s', (_, value, [black, white]) => {
    expect(tonalRangeOf(imagesOf(value)!)).toEqual({ black, white });
  });
});

describe('pixels', () => {
  it('are in the range, and cut off beyond it', () => {
    const values = [-1, 0, 0.5, 1, 2, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const images = imagesOf(tensorValue('float32', [1, 8, 8, 1], Array(8).fill(values).flat()))!;
    const { pixels } = rasterOf(images, 0, { black: 0, white: 1 });
    expect([...pixels.subarray(0, 8)]).toEqual([0, 0, 128, 255, 255, 0, 255, 0]);
  });

  it('are the same for both orders of the axes, of each example', () => {
    const last = ramp([2, 8, 9, 3], 0, 1);
    const first = new Float32Array(last.data.length);
    const data = last.data as Float32Array;
    for (let n = 0; n < 2; n++)
      for (let y = 0; y < 8; y++)
        for (let x = 0; x < 9; x++)
          for (let c = 0; c < 3; c++) first[((n * 3 + c) * 8 + y) * 9 + x] = data[((n * 8 + y) * 9 + x) * 3 + c]!;
    const range = { black: 0, white: 1 };
    const other = imagesOf(tensorValue('float32', [2, 3, 8, 9], first))!;
    for (const example of [0, 1])
      expect(rasterOf(other, example, range)).toEqual(rasterOf(imagesOf(last)!, example, range));
  });

  it('of large images are averaged, up to the edge', () => {
    const [width, height] = [513, 8];
    const data = Array.from({ length: width * height }, (_, i) => ((i % width) % 3 === 0 ? 1 : 0));
    const raster = rasterOf(imagesOf(tensorValue('float32', [1, height, width, 1], data))!, 0, { black: 0, white: 1 });
    expect([raster.width, raster.height]).toEqual([171, 3]);
    expect(new Set(raster.pixels)).toEqual(new Set([85]));
  });
});

describe('the examples that are shown', () => {
  const images = (n: number, size = 8) => zeros('float32', n, size, size, 3);

  it('are the first four, with the input, and each output before and after', () => {
    const rows = [
      ...picturedExamples({
        inputs: { x: images(6) },
        before: { 'y:0': images(6) },
        folded: undefined,
        after: { 'y:0': images(6) },
      }),
    ];
    expect(rows.map(({ example }) => example)).toEqual([0, 1, 2, 3]);
    expect(rows[3]!.pictures.map(({ role, tensor }) => `${role} ${tensor}`)).toEqual([
      'input x',
      'before y:0',
      'after y:0',
    ]);
  });

  it('are those of the outputs: an input that is no image, or no saved output, is left out', () => {
    const inputs = { z: zeros('float32', 2, 100), other: images(1) };
    const rows = [...picturedExamples({ inputs, before: undefined, folded: undefined, after: { 'y:0': images(2) } })];
    expect(rows.map(({ pictures }) => pictures.map(({ role }) => role))).toEqual([['after'], ['after']]);
  });

  it('are none if no output is an image', () => {
    expect([
      ...picturedExamples({
        inputs: { x: images(2) },
        before: undefined,
        folded: undefined,
        after: { 'y:0': zeros('float32', 2, 10) },
      }),
    ]).toEqual([]);
  });

  it('have both graphs in the range of the repaired one', () => {
    const rows = picturedExamples({
      inputs: {},
      before: { 'y:0': ramp([1, 8, 8, 1], -9, 9) },
      folded: undefined,
      after: { 'y:0': ramp([1, 8, 8, 1], 0, 1) },
    });
    for (const { range } of [...rows][0]!.pictures) expect(range).toEqual({ black: 0, white: 1 });
  });
});
