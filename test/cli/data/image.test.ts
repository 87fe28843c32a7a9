import { crc32, deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readImage, writePng } from '../../../src/cli/data/image.js';
import { inputValue } from '../../../src/cli/data/input_value.js';
import { tensorValue } from '../../../src/run/value.js';
import { failure } from '../../support/failure.js';

const text = new TextEncoder();

function chunk(type: string, data: Uint8Array): Buffer {
  const [body, size, check] = [Buffer.concat([text.encode(type), data]), Buffer.alloc(4), Buffer.alloc(4)];
  size.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([size, body, check]);
}

interface PngSize {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  /** 0 grey, 3 with a palette, 4 grey with alpha. */
  readonly color: number;
  readonly interlace?: number;
}

/** A PNG file. @param rows - the filter and the bytes of each @param first - what is before its size */
function png(
  { width, height, depth, color, interlace = 0 }: PngSize,
  rows: number[],
  first: Uint8Array = new Uint8Array(),
): Buffer {
  const size = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, depth, color, 0, 0, interlace]);
  size.writeUInt32BE(width);
  size.writeUInt32BE(height, 4);
  const data = deflateSync(Uint8Array.from(rows));
  const magic = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10);
  return Buffer.concat([magic, first, chunk('IHDR', size), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))]);
}

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

  it.each([
    [
      1,
      [0b10101010, 0b10000000, 0b01111111, 0],
      [255, 0, 255, 0, 255, 0, 255, 0, 255, 0, 255, 255, 255, 255, 255, 255, 255, 0],
    ],
    [2, [0b00011011, 0, 0, 0b11000000, 0, 0], [0, 85, 170, 255, 0, 0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0, 0]],
    [4, [0x1f, 0, 0, 0, 0x20, 0x80, 0, 0, 0, 0xf0], [17, 255, 0, 0, 0, 0, 0, 0, 34, 136, 0, 0, 0, 0, 0, 0, 0, 255]],
  ])('grey PNG of %i bits', (depth, bytes, pixels) => {
    const rows = [bytes.slice(0, bytes.length / 2), bytes.slice(bytes.length / 2)];
    const file = png(
      { width: 9, height: 2, depth, color: 0 },
      rows.flatMap((row) => [0, ...row]),
    );
    expect(readImage(file, 'x.png', AS_IS, 1)).toEqual(tensorValue('float32', [1, 2, 9, 1], pixels));
  });

  it.each([
    ['a cut last row', [0, 1, 2, 0, 3], 'its pixels are 5 bytes, but its size needs 6'],
    ['no rows', [], 'its pixels are 0 bytes, but its size needs 6'],
    ['rows without end', new Array(10_000_000).fill(0), 'its pixels are more than the 6 bytes of its size'],
  ])('refused: %s', (_, rows, why) => {
    const file = png({ width: 2, height: 2, depth: 8, color: 0 }, rows);
    expect(failure(() => readImage(file, 'x.png', AS_IS, 1))).toMatchObject({ code: 'unreadable', why });
  });

  it('interlaced', () => {
    // One pixel, one, one, and the second row; the other passes have none.
    const file = png({ width: 3, height: 2, depth: 8, color: 0, interlace: 1 }, [
      ...[0, 9],
      ...[0, 3],
      ...[0, 2],
      ...[0, 4, 5, 6],
    ]);
    expect([...(readImage(file, 'x.png', AS_IS, 1).data as Float32Array)]).toEqual([9, 2, 3, 4, 5, 6]);
  });

  it('a profile that would fill the memory is not read', () => {
    const profile = Buffer.concat([text.encode('icc\0\0'), deflateSync(Buffer.alloc(300_000_000), { level: 9 })]);
    const file = png({ width: 1, height: 1, depth: 8, color: 0 }, [0, 7]);
    const withProfile = Buffer.concat([file.subarray(0, 33), chunk('iCCP', profile), file.subarray(33)]);
    const before = process.resourceUsage().maxRSS;
    expect([...(readImage(withProfile, 'x.png', AS_IS, 1).data as Float32Array)]).toEqual([7]);
    expect(process.resourceUsage().maxRSS - before).toBeLessThan(100 * 1024);
  });

  it('grey and alpha', () => {
    const file = png({ width: 2, height: 1, depth: 8, color: 4 }, [0, 10, 20, 30, 40]);
    const read = (channels: number) => [...(readImage(file, 'x.png', AS_IS, channels).data as Float32Array)];
    expect([1, 3, 4].map(read)).toEqual([
      [10, 30],
      [10, 10, 10, 30, 30, 30],
      [10, 10, 10, 20, 30, 30, 30, 40],
    ]);
  });

  it('no alpha: opaque', () => {
    const file = png({ width: 1, height: 1, depth: 16, color: 0 }, [0, 0xff, 0xff]);
    expect([...(readImage(file, 'x.png', AS_IS, 4).data as Float32Array)]).toEqual([255, 255, 255, 255]);
  });

  it.each([
    ['no pixels', png({ width: 0, height: 2, depth: 8, color: 0 }, [0, 0])],
    ['a palette that is missing', png({ width: 2, height: 1, depth: 8, color: 3 }, [0, 0, 1])],
    ['interlaced, 4 bits', png({ width: 2, height: 1, depth: 4, color: 0, interlace: 1 }, [0, 0x10, 0, 0x10])],
    ['rows that the file cannot have', png({ width: 1, height: 2 ** 25, depth: 8, color: 0 }, [0, 0])],
    [
      'the size is not first',
      png({ width: 1, height: 1, depth: 8, color: 0 }, [0, 7], chunk('tEXt', text.encode('a\0b'))),
    ],
  ])('refused: %s', (_, file) => {
    expect(failure(() => readImage(file, 'x.png', AS_IS, undefined))).toMatchObject({
      code: 'unreadable',
      where: 'x.png',
    });
  });

  it('resized: bilinear', () => {
    const file = writePng(2, 1, 3, Uint8Array.of(0, 0, 0, 4, 4, 4));
    const read = (width: number) => readImage(file, 'x.png', AS_IS, 1, { width });
    expect([...(read(4).data as Float32Array)]).toEqual([0, 1, 3, 4]);
    expect(read(1)).toEqual(tensorValue('float32', [1, 1, 1, 1], [2]));
    expect(readImage(file, 'x.png', AS_IS, 1, { height: 2 }).shape).toEqual([1, 2, 2, 1]);
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
