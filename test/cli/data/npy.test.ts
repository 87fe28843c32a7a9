import { describe, expect, it } from 'vitest';
import { readNpy, writeNpy } from '../../../src/cli/data/npy.js';
import { readNpz, writeNpz } from '../../../src/cli/data/npz.js';
import { tensorValue } from '../../../src/run/value.js';
import { failure } from '../../support/failure.js';

const text = new TextEncoder();

const float32Header = (sizes: string) => `{'descr': '<f4', 'fortran_order': False, 'shape': (${sizes}), }\n`;

/** A file as NumPy writes it. */
function npy(header: string, body: ArrayLike<number>, version: readonly [number, number] = [1, 0]): Uint8Array {
  const length =
    version[0] === 1 ? [header.length & 255, header.length >> 8] : [header.length & 255, header.length >> 8, 0, 0];
  return Uint8Array.from([
    0x93,
    ...text.encode('NUMPY'),
    ...version,
    ...length,
    ...text.encode(header),
    ...Array.from(body),
  ]);
}

const floats = (...numbers: number[]) => new Uint8Array(Float32Array.from(numbers).buffer);

describe('.npy files', () => {
  it('of NumPy: C order, little-endian', () => {
    const file = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n", floats(1, 2, 3, 4, 5, 6));
    expect(readNpy(file, 'x.npy')).toEqual(tensorValue('float32', [2, 3], [1, 2, 3, 4, 5, 6]));
  });

  it.each([
    ['int64', '<i8', [2n ** 62n + 1n, -(2n ** 53n) - 1n, 3n, 4n]],
    ['uint64', '<u8', [2n ** 64n - 1n, 2n ** 53n + 1n, 3n, 4n]],
  ])('every bit of %s, in both orders', (dtype, code, [a, b, c, d]) => {
    const bytes = [...new Uint8Array(BigUint64Array.from([a!, b!, c!, d!], (each) => BigInt.asUintN(64, each)).buffer)];
    const read = (order: string) =>
      readNpy(npy(`{'descr': '${code}', 'fortran_order': ${order}, 'shape': (2, 2), }\n`, bytes), 'x');
    expect(read('False')).toMatchObject({ dtype, shape: [2, 2] });
    expect([...(read('False').data as BigInt64Array)]).toEqual([a, b, c, d]);
    expect([...(read('True').data as BigInt64Array)]).toEqual([a, c, b, d]);
  });

  it('Fortran order', () => {
    const file = npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }\n", floats(1, 4, 2, 5, 3, 6));
    expect(readNpy(file, 'x.npy')).toEqual(tensorValue('float32', [2, 3], [1, 2, 3, 4, 5, 6]));
  });

  it('big-endian, version 2, a scalar, a vector, none', () => {
    expect(
      readNpy(npy("{'descr': '>i2', 'fortran_order': False, 'shape': (2,), }\n", [1, 2, 0xff, 0xfe]), 'x'),
    ).toEqual(tensorValue('int16', [2], [258, -2]));
    expect(readNpy(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (), }\n", [7], [2, 0]), 'x')).toEqual(
      tensorValue('uint8', [], [7]),
    );
    expect(readNpy(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (0, 4), }\n", []), 'x').shape).toEqual([
      0, 4,
    ]);
  });

  it.each(['float32', 'float64', 'float16', 'int8', 'int32', 'int64', 'uint16', 'bool'])(
    '%s: written and read',
    (dtype) => {
      const value = tensorValue(dtype, [2, 2], dtype === 'bool' ? [1, 0, 0, 1] : [1, 2, 3, 100]);
      const file = writeNpy(value);
      expect(readNpy(file, 'x')).toEqual(value);
      // The elements start at a multiple of 64.
      expect((file.length - value.data.length * (file.at(-1) === undefined ? 0 : bytesOf(dtype))) % 64).toBe(0);
    },
  );

  const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n";
  it.each([
    ['cut', npy(header, floats(1, 2, 3))],
    ['of another version', npy(header, [], [9, 0])],
    ['with a huge shape', npy("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999,), }\n", floats(1))],
    ['with a size of digits apart', npy(float32Header('1 2,'), floats(1))],
    ['with a size of 300 digits', npy(float32Header(`${'9'.repeat(300)},`), floats(1))],
    ['with such a size, and none', npy(float32Header(`0, ${'9'.repeat(300)}`), [])],
    ['with too many axes', npy(float32Header('1,'.repeat(255)), floats(1))],
    ['without a shape', npy("{'descr': '<f4', 'fortran_order': False, }\n", floats(1))],
    ['of eight bytes', npy('', []).slice(0, 8)],
  ])('%s: refused', (_, file) => {
    expect(failure(() => readNpy(file, 'x.npy'))).toMatchObject({
      code: 'unreadable',
      message: 'not a valid .npy file',
    });
  });

  it('of strings or records: refused', () => {
    const file = npy("{'descr': '<U3', 'fortran_order': False, 'shape': (1,), }\n", new Array(12).fill(0));
    expect(failure(() => readNpy(file, 'x.npy'))).toMatchObject({ code: 'unsupported' });
  });
});

describe('.npz files', () => {
  const arrays = new Map([
    ['image', tensorValue('float32', [1, 2], [3, 4])],
    ['scope/label', tensorValue('int64', [1], [5])],
  ]);

  it('written and read', () => {
    expect(readNpz(writeNpz(arrays), 'x.npz')).toEqual(arrays);
  });

  it('are the same bytes each time', () => {
    expect(writeNpz(arrays)).toEqual(writeNpz(arrays));
  });

  it('corrupt: refused', () => {
    const file = writeNpz(arrays);
    expect(failure(() => readNpz(file.subarray(0, 60), 'x.npz'))).toMatchObject({ code: 'unreadable' });
  });

  it('many entries that share their bytes: refused', () => {
    expect(failure(() => readNpz(sharedZip(2000, 100_000), 'x.npz'))).toMatchObject({
      code: 'unreadable',
      why: 'its contents are too large',
    });
  });
});

/** A ZIP archive whose entries say that they are empty, and are all of its bytes as they are stored. */
function sharedZip(entries: number, bytes: number): Uint8Array {
  const [local, central, end] = [Buffer.alloc(30 + bytes), Buffer.alloc(51), Buffer.alloc(22)];
  local.writeUInt32LE(0x04034b50);
  central.writeUInt32LE(0x02014b50);
  central.writeUInt32LE(bytes, 20);
  central.writeUInt16LE(5, 28);
  central.write('x.npy', 46);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt16LE(entries, 8);
  end.writeUInt16LE(entries, 10);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, ...new Array<Buffer>(entries).fill(central), end]);
}

function bytesOf(dtype: string): number {
  return dtype === 'bool' ? 1 : Number(/\d+/.exec(dtype)![0]) / 8;
}
