import { describe, expect, it } from 'vitest';
import { readImage, writePng } from '../../../src/cli/data/image.js';
import { inputValue } from '../../../src/cli/data/input_value.js';
import { resized } from '../../../src/cli/data/resize.js';
import { tensorValue } from '../../../src/run/value.js';
import { failure } from '../../support/failure.js';

const AS_IS = { scale: 1, mean: [0] };
const RGB = writePng(2, 1, 3, Uint8Array.of(255, 0, 0, 10, 20, 30));

describe('pictures', () => {
  it('PNG: RGB, and grey by the weights of luma', () => {
    expect(readImage(RGB, 'x.png', AS_IS, 3)).toEqual(tensorValue('float32', [1, 1, 2, 3], [255, 0, 0, 10, 20, 30]));
    const grey = readImage(RGB, 'x.png', AS_IS, 1);
    expect([...(grey.data as Float32Array)]).toEqual([76.245, 18.15].map((number) => expect.closeTo(number, 3)));
  });

  it('grey as RGB', () => {
    const grey = writePng(1, 1, 1, Uint8Array.of(9));
    expect([...(readImage(grey, 'x.png', AS_IS, 3).data as Float32Array)]).toEqual([9, 9, 9]);
  });

  it('(pixel - mean) * scale, by channel', () => {
    const pixels = { scale: 0.5, mean: [55, 0, 10] };
    expect([...(readImage(RGB, 'x.png', pixels, 3).data as Float32Array)]).toEqual([100, 0, -5, -22.5, 10, 10]);
  });

  it('corrupt: refused', () => {
    expect(failure(() => readImage(RGB.subarray(0, 40), 'x.png', AS_IS, 3))).toMatchObject({
      code: 'unreadable',
      where: 'x.png',
    });
    expect(failure(() => readImage(Uint8Array.of(0xff, 0xd8, 0xff), 'x.jpg', AS_IS, 3))).toMatchObject({
      code: 'unreadable',
    });
  });

  it('resized: bilinear', () => {
    const image = tensorValue('float32', [1, 1, 2, 1], [0, 4]);
    expect([...(resized(image, 1, 4).data as Float32Array)]).toEqual([0, 1, 3, 4]);
    expect([...(resized(image, 1, 1).data as Float32Array)]).toEqual([2]);
  });
});

describe('the value of an input', () => {
  const file = (name: string) => ({ name, bytes: RGB });

  it('pictures are a batch, in the size and dtype of the input', () => {
    const input = { name: 'image', dtype: 'uint8', shape: [-1, 2, 2, 3] };
    const value = inputValue([file('a.png'), file('b.png')], input, AS_IS);
    expect(value).toMatchObject({ dtype: 'uint8', shape: [2, 2, 2, 3] });
    expect([...(value.data as Uint8Array)].slice(0, 6)).toEqual([255, 0, 0, 10, 20, 30]);
  });

  it('channels first', () => {
    const value = inputValue([file('a.png')], { name: 'x', dtype: 'float32', shape: [-1, 3, -1, -1] }, AS_IS);
    expect(value).toEqual(tensorValue('float32', [1, 3, 1, 2], [255, 10, 0, 20, 0, 30]));
  });

  it('that does not fit is refused', () => {
    expect(
      failure(() => inputValue([file('a.png')], { name: 'x', dtype: 'float32', shape: [-1, 10] }, AS_IS)),
    ).toMatchObject({
      message: 'x does not take pictures',
      where: 'a.png',
    });
    const unknown = { name: 'notes.txt', bytes: new Uint8Array(10) };
    expect(
      failure(() => inputValue([unknown], { name: 'x', dtype: 'float32', shape: undefined }, AS_IS)),
    ).toMatchObject({
      code: 'unreadable',
      message: 'unknown type of input file',
    });
  });
});
