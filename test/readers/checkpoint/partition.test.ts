import { describe, expect, it } from 'vitest';
import { CHUNK_BYTES } from '../../../src/graph/chunk_ring.js';
import { DataType } from '../../../src/graph/dtype.js';
import { readBytes } from '../../../src/graph/tensor.js';
import type { tensorflow } from '../../../src/proto/tensorflow.js';
import { openCheckpoint } from '../../../src/readers/checkpoint/checkpoint.js';
import { failure } from '../../support/failure.js';
import { COLUMNS, DATA, FILES, INDEX, NAME, openFiles, ROWS, save, slice, texts } from './model.js';
import { cut, floats, opener, shapeProto, sliceProto, writeBundle } from './write_table.js';

describe('a partitioned tensor', () => {
  const plane = floats('p', [7, 5]);

  it.each([
    ['by rows', ROWS],
    ['by rows that are listed in any order', [ROWS[2]!, ROWS[0]!, ROWS[1]!]],
    ['by columns', COLUMNS],
    ['both ways', [slice([0, 3], [0, -1]), slice([3, 4], [0, 1]), slice([3, 4], [1, 4])]],
    ['into one part that is the whole', [slice([0, 7], [0, 5])]],
  ])('is put together: %s', (_, slices) => {
    for (const options of [{ shards: 2 }, { shards: 1, bigEndian: true }]) {
      expect(readBytes(save([{ ...plane, slices }], options).tensor('p'))).toEqual(plane.bytes);
    }
  });

  it('is put together along any of three dimensions', () => {
    const cube = floats('p', [3, 4, 5]);
    for (const axis of [0, 1, 2]) {
      const slices = [0, 1].map((i) =>
        cube.shape.map((size, d) =>
          d === axis ? { start: 2 * i, length: i ? size - 2 : 2 } : { start: 0, length: size },
        ),
      );
      expect(readBytes(save([{ ...cube, slices }]).tensor('p')), `axis ${axis}`).toEqual(cube.bytes);
    }
  });

  it('may be of strings', () => {
    const strings = Array.from({ length: 35 }, (_, i) => `value ${i}`);
    const tensor = { name: 'p', dtype: DataType.DT_STRING, shape: [7, 5], strings, slices: COLUMNS };
    expect(texts(save([tensor]).tensor('p').strings())).toEqual(strings);
    const box = slice([2, 3], [1, 3]);
    expect(texts(save([tensor]).slice('p', box).strings())).toEqual(cut(tensor, box).strings);
  });

  it.each([
    ['whole', []],
    ['in rows', ROWS],
    ['in columns', COLUMNS],
  ])('is read in rectangles where it is stored %s', (_, slices) => {
    const checkpoint = save([{ ...plane, slices }]);
    for (const box of [
      slice([0, 3], [0, 5]),
      slice([2, 4], [1, 3]),
      slice([6, 1], [4, 1]),
      slice([1, -1], [0, -1]),
      slice([0, 0], [0, 5]),
    ]) {
      const resolved = box.map(({ start, length }, i) => ({
        start,
        length: length === -1 ? plane.shape[i]! - start : length,
      }));
      const tensor = checkpoint.slice('p', box);
      expect(tensor.shape).toEqual(resolved.map(({ length }) => length));
      expect(readBytes(tensor)).toEqual(new Uint8Array(cut(plane, resolved).bytes!));
    }
    expect(failure(() => checkpoint.slice('p', slice([5, 3], [0, 5])))).toMatchObject({
      code: 'statistics',
      message: 'the checkpoint has no part 5,3:0,5 of p',
      why: 'its shape there is [7, 5]',
    });
  });

  it('larger than a chunk is streamed in chunks', () => {
    // A row alone is larger than a chunk.
    const [rows, columns] = [2, CHUNK_BYTES / 16 + 3];
    const bytes = new Uint8Array(Float64Array.from({ length: rows * columns * 2 }, (_, i) => i).buffer);
    const big = { name: 'p', dtype: DataType.DT_COMPLEX128, shape: [rows, columns], bytes };
    for (const slices of [
      [slice([0, rows], [0, columns])],
      [slice([0, 1], [0, columns]), slice([1, 1], [0, columns])],
      [slice([0, rows], [0, 1000]), slice([0, rows], [1000, columns - 1000])],
    ]) {
      const parts = Array.from(
        save([{ ...big, slices }])
          .tensor('p')
          .chunks(),
        (chunk) => Buffer.from(chunk),
      );
      expect(parts.length).toBeGreaterThan(2);
      expect(Math.max(...parts.map((part) => part.length))).toBeLessThanOrEqual(CHUNK_BYTES);
      expect(Buffer.concat(parts).equals(bytes)).toBe(true);
    }
  });

  it('is never read in larger pieces than a chunk, however narrow the rectangle', () => {
    const bytes = new Uint8Array(6 * (CHUNK_BYTES / 2)).map((_, i) => Math.floor(i / (CHUNK_BYTES / 64)));
    const files = writeBundle(NAME, [{ name: 'p', dtype: DataType.DT_UINT8, shape: [6, CHUNK_BYTES / 2], bytes }]);
    const sizes: number[] = [];
    const checkpoint = openCheckpoint(FILES, (path) => {
      const source = opener(files)(path);
      const readInto = source.readInto.bind(source);
      source.readInto = (target, offset) => {
        sizes.push(target.length);
        readInto(target, offset);
      };
      return source;
    });
    expect([...readBytes(checkpoint.slice('p', slice([0, 6], [9, 1])))]).toEqual([0, 32, 64, 96, 128, 160]);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(CHUNK_BYTES);
  });

  it.each([
    ['a gap', [ROWS[0]!, ROWS[2]!], 'its parts hold 25 of 35 elements'],
    ['an overlap', [...ROWS, slice([2, 1], [0, 1])], 'the parts 0,3:0,5 and 2,1:0,1 overlap'],
  ])('with %s is refused', (_, slices, why) => {
    const error = failure(() => save([{ ...plane, slices }]).tensor('p'));
    expect(error).toMatchObject({ code: 'unreadable', message: `the entry of p in ${INDEX} is malformed`, why });
  });

  it.each<[string, Record<string, tensorflow.BundleEntryProto.$Properties>, string]>([
    ['a part of another shape', { 'p[1]': { shape: shapeProto([5, 2]) } }, 'its part 3,2:- has another type or shape'],
    ['a part of another type', { 'p[1]': { dtype: DataType.DT_INT32 } }, 'its part 3,2:- has another type or shape'],
    ['a part that is too short', { 'p[1]': { size: 4 } }, 'it has 4 bytes, but its shape needs 40'],
    ['no such part', { p: { slices: [sliceProto(slice([0, 7], [0, 5]))] } }, 'its part 0,7:0,5 is missing'],
    [
      'a part outside of it',
      { p: { slices: [sliceProto(slice([0, 8], [0, 5]))] } },
      'its part 0,8:0,5 exceeds its shape [7, 5]',
    ],
  ])('with %s is refused', (_, edit, why) => {
    expect(failure(() => save([{ ...plane, slices: ROWS }], { edit }).tensor('p')).why).toBe(why);
  });

  it('has the checksum of each part checked, whichever way it is read', () => {
    for (const slices of [ROWS, COLUMNS]) {
      const files = writeBundle(NAME, [{ ...plane, slices }]);
      files.get(DATA)![70]! ^= 4;
      expect(failure(() => readBytes(openFiles(files).tensor('p'))).message).toBe('the tensor p has a wrong checksum');
    }
    // The byte is in a part that the rectangle needs, though not in the rectangle.
    const files = writeBundle(NAME, [plane]);
    files.get(DATA)![0]! ^= 4;
    expect(failure(() => readBytes(openFiles(files).slice('p', slice([6, 1], [4, 1])))).message).toBe(
      'the tensor p has a wrong checksum',
    );
  });
});
