import { describe, expect, it } from 'vitest';
import { DataType } from '../../../src/graph/dtype.js';
import { readBytes, readNumbers } from '../../../src/graph/tensor.js';
import { crc32c, maskCrc } from '../../../src/io/crc32c.js';
import { failure } from '../../support/failure.js';
import { DATA, INDEX, NAME, openFiles, ROWS, readAll } from './model.js';
import { floats, type SavedTensor, writeBundle } from './write_table.js';

const SMALL: SavedTensor[] = [
  floats('conv/weights', [7, 5]),
  floats('scalar', []),
  { name: 'names', dtype: DataType.DT_STRING, shape: [3], strings: ['a', '', 'x\xff\0'.repeat(50)] },
  floats('rows', [7, 5], { slices: ROWS }),
];

describe('corruption', () => {
  it('of any byte of the index is reported', () => {
    const files = writeBundle(NAME, SMALL, { blockBytes: 120 });
    const index = files.get(INDEX)!;
    for (let at = 0; at < index.length; at++) {
      const corrupt = index.slice();
      corrupt[at]! ^= 1 << (at % 8);
      const error = failure(() => readAll(openFiles(new Map([...files, [INDEX, corrupt]]))));
      expect(error.code, `byte ${at}`).toBe('unreadable');
      expect(error.fix, `byte ${at}`).toBeDefined();
    }
  });

  it('of any byte of a tensor is reported, and never passed on as the last chunk', () => {
    const files = writeBundle(NAME, SMALL);
    const data = files.get(DATA)!;
    for (let at = 0; at < data.length; at++) {
      const corrupt = data.slice();
      corrupt[at]! ^= 1 << (at % 8);
      expect(failure(() => readAll(openFiles(new Map([...files, [DATA, corrupt]])))).code, `byte ${at}`).toBe(
        'unreadable',
      );
    }
  });

  it('of a string, of its lengths or of their checksum is each found by its own checksum', () => {
    const strings = { name: 's', dtype: DataType.DT_STRING, shape: [2], strings: ['abc', 'de'] };
    const read = (change: (data: Uint8Array) => void, edit = {}) => {
      const files = writeBundle(NAME, [strings], { edit });
      change(files.get(DATA)!);
      return failure(() => openFiles(files).tensor('s').strings());
    };
    // Two lengths, four bytes of checksum, the strings.
    const inStrings = read((data) => {
      data[6]! ^= 1;
    });
    expect(inStrings.why).toBe(`bytes 0 to 11 of ${DATA} do not match their checksum`);
    // Lengths that still add up, under a checksum of the whole that was made to fit them.
    const swapped = (data: Uint8Array) => {
      data.set([2, 3]);
    };
    const lengths = Buffer.from([2, 0, 0, 0, 3, 0, 0, 0]);
    const tail = writeBundle(NAME, [strings]).get(DATA)!.subarray(2);
    const error = read(swapped, { s: { crc32c: maskCrc(crc32c(tail, crc32c(lengths))) } });
    expect(error.why).toBe('the lengths of its strings do not match their checksum');
  });

  it('in a tensor that is not used does no harm', () => {
    const files = writeBundle(NAME, [floats('a', [3]), floats('b', [3])]);
    files.get(DATA)![0]! ^= 1;
    const checkpoint = openFiles(files);
    expect([...readNumbers(checkpoint.tensor('b'))]).toEqual([0.5, 1.5, 2.5]);
    expect(failure(() => readBytes(checkpoint.tensor('a')))).toMatchObject({
      code: 'unreadable',
      message: 'the tensor a has a wrong checksum',
      where: DATA,
      why: `bytes 0 to 12 of ${DATA} do not match their checksum`,
    });
  });

  it('by cutting the data file short is reported', () => {
    const files = writeBundle(NAME, [floats('a', [3]), floats('b', [3])]);
    files.set(DATA, files.get(DATA)!.slice(0, 23));
    const checkpoint = openFiles(files);
    for (const key of ['a', 'b']) {
      expect(failure(() => readBytes(checkpoint.tensor(key)))).toMatchObject({
        code: 'unreadable',
        message: `${DATA} is truncated`,
        why: 'it has 23 bytes, but needs at least 24',
      });
    }
  });

  it.each([
    ['version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n', 'a Git LFS pointer, not the file itself'],
    ['<!DOCTYPE html><html></html>', 'a web page that was downloaded in place of the file'],
    ['', 'an empty file'],
  ])('by putting something else in place of a file is named', (text, what) => {
    const files = writeBundle(NAME, [floats('a', [30])]);
    for (const name of [DATA, INDEX]) {
      const changed = new Map([...files, [name, Buffer.from(text)]]);
      expect(failure(() => readAll(openFiles(changed))).message).toBe(`${name} is ${what}`);
    }
  });
});
