import { describe, expect, it } from 'vitest';
import { CHUNK_BYTES, ChunkRing } from '../../../src/graph/chunk_ring.js';
import { DataType } from '../../../src/graph/dtype.js';
import { readBytes, readNumbers } from '../../../src/graph/tensor.js';
import { type ByteSource, MemorySource } from '../../../src/io/source.js';
import { tensorflow } from '../../../src/proto/tensorflow.js';
import { type OpenCheckpoint, openCheckpoint } from '../../../src/readers/checkpoint/checkpoint.js';
import { encodeTensorNameSlice } from '../../../src/readers/checkpoint/ordered_code.js';
import { failure } from '../../support/failure.js';
import { delimited, message, numeric } from '../../support/wire.js';
import { COLUMNS, ROWS, readAll, slice, texts } from './model.js';
import { cut, type Files, floats, opener, type SavedTensor, shapeProto, writeTable, writeV1 } from './write_table.js';

const FILE = 'dir/model.ckpt';

type TensorData = tensorflow.TensorProto.$Properties;

function openFiles(files: Files, index = FILE): OpenCheckpoint {
  return openCheckpoint({ format: 'V1', prefix: FILE, index }, opener(files));
}

const save = (tensors: readonly SavedTensor[], data = floatData, options = {}) =>
  openFiles(new Map([[FILE, writeV1(tensors, data, options)]]));

/** What TensorFlow writes: the values, in the list of their type, and nothing else. */
function floatData({ bytes }: SavedTensor): TensorData {
  return { float_val: [...new Float32Array(new Uint8Array(bytes!).buffer)] };
}

const plane = floats('p', [7, 5]);

describe('a V1 checkpoint', () => {
  it.each([{}, { snappy: true }, { blockBytes: 50 }])('says what is in it, and gives it: %o', (options) => {
    const checkpoint = save([floats('w', [2, 3]), floats('a/b', [4]), floats('scalar', [])], floatData, options);
    expect(checkpoint).toMatchObject({ name: FILE, format: 'V1', files: [FILE] });
    expect([...checkpoint.entries.keys()]).toEqual(['a/b', 'scalar', 'w']);
    expect(checkpoint.entries.get('w')).toMatchObject({ dtype: DataType.DT_FLOAT, shape: [2, 3], slices: [] });
    const tensor = checkpoint.tensor('w');
    expect(tensor).toMatchObject({ shape: [2, 3], byteLength: 24, origin: `w in ${FILE}` });
    expect([...readNumbers(tensor)]).toEqual([0.5, 1.5, 2.5, 3.5, 4.5, 5.5]);
    expect([...readNumbers(checkpoint.tensor('scalar'))]).toEqual([0.5]);
  });

  it('lists its tensors in the order of their bytes in UTF-8', () => {
    const names = ['\u{10000}', 'b', '\uffff', 'B', 'a/b', 'a'];
    const { entries } = save(names.map((name) => floats(name, [1])));
    expect([...entries.keys()]).toEqual(['B', 'a', 'a/b', 'b', '\uffff', '\u{10000}']);
  });

  it.each<[string, TensorData, number[]]>([
    ['DT_DOUBLE', { double_val: [1e300, -2] }, [1e300, -2]],
    ['DT_INT32', { int_val: [-5, 2 ** 31 - 1] }, [-5, 2 ** 31 - 1]],
    ['DT_INT64', { int64_val: [-5, 2 ** 40] }, [-5, 2 ** 40]],
    ['DT_UINT8', { int_val: [255, 1] }, [255, 1]],
    ['DT_INT8', { int_val: [-128, 1] }, [-128, 1]],
    ['DT_INT16', { int_val: [-300, 1] }, [-300, 1]],
    ['DT_BOOL', { bool_val: [true, false] }, [1, 0]],
    ['DT_HALF', { half_val: [0x3c00, 0xc100] }, [1, -2.5]],
    ['DT_BFLOAT16', { half_val: [0x3f80, 0xc020] }, [1, -2.5]],
    ['DT_UINT16', { int_val: [65_535, 1] }, [65_535, 1]],
    ['DT_UINT32', { uint32_val: [2 ** 32 - 1, 1] }, [2 ** 32 - 1, 1]],
    ['DT_UINT64', { uint64_val: [2 ** 40, 1] }, [2 ** 40, 1]],
  ])('holds %s', (name, data, values) => {
    const dtype = DataType[name as keyof typeof DataType];
    const tensor = { name: 't', dtype, shape: [2], bytes: new Uint8Array(2) };
    expect([...readNumbers(save([tensor], () => data).tensor('t'))]).toEqual(values);
  });

  it('holds complex numbers and strings', () => {
    const complex = { name: 't', dtype: DataType.DT_COMPLEX64, shape: [2], bytes: new Uint8Array(2) };
    const bytes = readBytes(save([complex], () => ({ scomplex_val: [1, 2, 3, 4] })).tensor('t'));
    expect([...new Float32Array(new Uint8Array(bytes).buffer)]).toEqual([1, 2, 3, 4]);
    const wide = { ...complex, dtype: DataType.DT_COMPLEX128 };
    const doubles = readBytes(save([wide], () => ({ dcomplex_val: [1, 2, 3, 4] })).tensor('t'));
    expect([...new Float64Array(new Uint8Array(doubles).buffer)]).toEqual([1, 2, 3, 4]);
    const text = { name: 't', dtype: DataType.DT_STRING, shape: [2], strings: ['a', ''] };
    const data = { string_val: [Buffer.from('a'), Buffer.alloc(0)] };
    expect(
      texts(
        save([text], () => data)
          .tensor('t')
          .strings(),
      ),
    ).toEqual(['a', '']);
  });

  it.each([
    ['rows', ROWS],
    ['columns', COLUMNS],
  ])('puts partitions by %s together, whole or in rectangles', (_, slices) => {
    const checkpoint = save([{ ...plane, slices }]);
    expect(checkpoint.entries.get('p')?.slices).toEqual(slices);
    expect(readBytes(checkpoint.tensor('p'))).toEqual(plane.bytes);
    const box = slice([2, 4], [1, 3]);
    expect(readBytes(checkpoint.slice('p', box))).toEqual(new Uint8Array(cut(plane, box).bytes!));
  });

  it('may be in several files, of which any is named', () => {
    const shard = (i: number) => `${FILE}-0000${i}-of-00002`;
    const files = new Map([
      [shard(0), writeV1([floats('w', [2]), { ...plane, slices: [ROWS[0]!, ROWS[2]!] }], floatData)],
      [shard(1), writeV1([{ ...plane, slices: [ROWS[1]!] }], floatData)],
    ]);
    for (const index of [shard(0), shard(1)]) {
      const checkpoint = openFiles(files, index);
      expect(checkpoint.files).toEqual([shard(0), shard(1)]);
      expect(readBytes(checkpoint.tensor('p'))).toEqual(plane.bytes);
      expect(readBytes(checkpoint.tensor('w'))).toHaveLength(8);
    }
    files.set(shard(1), writeV1([{ ...plane, shape: [7, 4], slices: [slice([3, 2], [0, 4])] }], floatData));
    expect(failure(() => openFiles(files, shard(0))).why).toBe('it is float32 [7,4] here and float32 [7,5] elsewhere');
    files.delete(shard(1));
    expect(() => openFiles(files, shard(0))).toThrow(shard(1));
  });
});

describe('a large tensor of a V1 checkpoint', () => {
  const shape = [1200, 1100];
  const large = floats('large', shape);
  const halves = [slice([0, -1], [0, 500]), slice([0, -1], [500, 600])];

  /** Opens a file and notes how much of it is read at once. */
  function opened(bytes: Uint8Array): { checkpoint: OpenCheckpoint; most: () => number } {
    const source = new MemorySource(bytes, FILE);
    let most = 0;
    const noting: ByteSource = {
      name: FILE,
      size: source.size,
      read: (offset, length) => {
        most = Math.max(most, length);
        return source.read(offset, length);
      },
      readInto: (target, offset) => {
        most = Math.max(most, target.length);
        source.readInto(target, offset);
      },
      close: () => {},
    };
    return { checkpoint: openCheckpoint({ format: 'V1', prefix: FILE, index: FILE }, () => noting), most: () => most };
  }

  it.each<[string, SavedTensor]>([
    ['whole', large],
    ['in two halves', { ...large, slices: halves }],
  ])('is read in chunks: %s', (_, tensor) => {
    const { checkpoint, most } = opened(writeV1([floats('a', [3]), tensor, floats('z', [3])], floatData));
    expect(Buffer.from(readBytes(checkpoint.tensor('large'))).equals(large.bytes!)).toBe(true);
    expect(most()).toBeLessThanOrEqual(CHUNK_BYTES);
    expect(large.bytes!.length).toBeGreaterThan(2 * CHUNK_BYTES);
  });

  it.each<[string, SavedTensor[]]>([
    ['partitions', [{ ...large, slices: [slice([0, 600], [0, -1]), slice([600, 600], [0, -1])] }]],
    [
      'small partitions',
      [floats('large', [80, 1100], { slices: [slice([0, 40], [0, -1]), slice([40, 40], [0, -1])] })],
    ],
    ['others in their block', [floats('a', shape), floats('b', [30, 1100]), floats('c', shape)]],
  ])('leaves each chunk as it is until the second next one, beside %s', (_, tensors) => {
    const { checkpoint } = opened(writeV1(tensors, floatData, { blockBytes: 2 ** 18 }));
    const ring = new ChunkRing();
    /** What was given, and a copy of it: they are compared when the next one has come. */
    let before: [Uint8Array, Buffer] | undefined;
    let compared = 0;
    for (const key of checkpoint.entries.keys()) {
      for (const chunk of checkpoint.tensor(key).chunks(ring)) {
        if (before) expect(before[1].equals(before[0]), `chunk ${compared++}`).toBe(true);
        before = [chunk, Buffer.from(chunk)];
      }
    }
    expect(compared).toBeGreaterThan(0);
  });

  it('is read as a whole where it is compressed', () => {
    const tensor = floats('large', [200, 100]);
    const { checkpoint } = opened(writeV1([tensor], floatData, { snappy: true }));
    expect(Buffer.from(readBytes(checkpoint.tensor('large'))).equals(tensor.bytes!)).toBe(true);
  });

  it.each<[string, SavedTensor]>([
    ['whole', floats('large', [200, 100])],
    ['in two halves', floats('large', [400, 100], { slices: [slice([0, -1], [0, 50]), slice([0, -1], [50, 50])] })],
  ])('is refused when its bytes are corrupt: %s', (_, tensor) => {
    const bytes = writeV1([floats('a', [3]), tensor], floatData);
    const places = [...Array.from({ length: 120 }, (_, i) => i), ...Array.from({ length: 60 }, (_, i) => 800 * i + 7)];
    for (const place of places) {
      const corrupt = bytes.slice();
      corrupt[place]! ^= 1 << (place % 8);
      expect(failure(() => readAll(opened(corrupt).checkpoint)).code, `byte ${place}`).toBe('unreadable');
    }
  });
});

describe('a tensor of 64 KiB and more', () => {
  const all = floats('t', [280, 130]);
  const columns = [slice([0, -1], [0, 60]), slice([0, -1], [60, 70])];

  /** Opens a file; `most` is the largest piece that was read of it since. */
  function opened(bytes: Uint8Array) {
    const source = new MemorySource(bytes, FILE);
    let most = 0;
    const noting: ByteSource = {
      name: FILE,
      size: source.size,
      read: (offset, length) => {
        most = Math.max(most, length);
        return source.read(offset, length);
      },
      readInto: (target, offset) => {
        most = Math.max(most, target.length);
        source.readInto(target, offset);
      },
      close: () => {},
    };
    const checkpoint = openCheckpoint({ format: 'V1', prefix: FILE, index: FILE }, () => noting);
    most = 0;
    return { checkpoint, most: () => most };
  }
  const counting = (count: number) => Array.from({ length: count }, (_, i) => i % 120);
  const ofShape = (dtype: DataType, shape: number[]) => ({ name: 't', dtype, shape, bytes: new Uint8Array(1) });

  // More than what is read at once to find them.
  it.each<[string, DataType, number, (values: number[]) => TensorData]>([
    ['floats', DataType.DT_FLOAT, 71_680, (float_val) => ({ float_val })],
    ['doubles', DataType.DT_DOUBLE, 35_840, (double_val) => ({ double_val })],
    ['complex numbers', DataType.DT_COMPLEX64, 35_840, (scomplex_val) => ({ scomplex_val })],
    ['complex numbers of doubles', DataType.DT_COMPLEX128, 17_920, (dcomplex_val) => ({ dcomplex_val })],
  ])('is read from where its values are: %s', (name, dtype, elements, dataOf) => {
    const values = counting(name.startsWith('complex') ? 2 * elements : elements);
    const { checkpoint, most } = opened(writeV1([ofShape(dtype, [elements])], () => dataOf(values)));
    const bytes = readBytes(checkpoint.tensor('t'));
    const wanted = name.includes('doubles') ? Float64Array.from(values) : Float32Array.from(values);
    expect(Buffer.from(bytes).equals(Buffer.from(wanted.buffer))).toBe(true);
    expect(most()).toBe(bytes.length);
  });

  it.each<[string, DataType, number]>([
    ['integers', DataType.DT_INT32, 16_900],
    ['bytes', DataType.DT_UINT8, 66_000],
  ])('is decoded where its values are not as in memory: %s', (_, dtype, elements) => {
    const values = counting(elements);
    const read = save([ofShape(dtype, [elements])], () => ({ int_val: values })).tensor('t');
    expect(readNumbers(read).every((value, i) => Number(value) === values[i])).toBe(true);
  });

  it('is put together from parts, and checked first', () => {
    const bytes = writeV1([{ ...all, slices: columns }], floatData, { blockBytes: 1 });
    expect(Buffer.from(readBytes(opened(bytes).checkpoint.tensor('t'))).equals(all.bytes!)).toBe(true);
    const box = slice([100, 3], [58, 4]);
    expect(readBytes(opened(bytes).checkpoint.slice('t', box))).toEqual(new Uint8Array(cut(all, box).bytes!));
    bytes[1000]! ^= 1;
    const chunks = opened(bytes).checkpoint.tensor('t').chunks()[Symbol.iterator]();
    expect(failure(() => chunks.next()).message).toContain(`of ${FILE} has a wrong checksum`);
  });

  it.each<[string, TensorData, string]>([
    ['too few values', { float_val: counting(36_399) }, 'it has 36399 values, but its shape needs 36400'],
    ['no values', {}, 'it has 0 values, but its shape needs 36400'],
  ])('is refused with %s', (_, data, why) => {
    expect(failure(() => readBytes(save([all], () => data).tensor('t'))).why).toBe(why);
  });
});

describe('a V1 checkpoint is refused', () => {
  const ofTwo = (dtype: DataType) => ({ name: 'w', dtype, shape: [2], bytes: new Uint8Array(2) });
  it('when any of its bytes is corrupt', () => {
    const bytes = writeV1([floats('w', [5]), { ...plane, slices: COLUMNS }], floatData, { blockBytes: 100 });
    for (let at = 0; at < bytes.length; at++) {
      const corrupt = bytes.slice();
      corrupt[at]! ^= 1 << (at % 8);
      expect(failure(() => readAll(openFiles(new Map([[FILE, corrupt]])))).code, `byte ${at}`).toBe('unreadable');
    }
  });

  it('when it is cut short', () => {
    const bytes = writeV1([floats('w', [5])], floatData);
    for (const size of [1, 47, 48, bytes.length - 1]) {
      const error = failure(() => openFiles(new Map([[FILE, bytes.slice(0, size)]])));
      expect(error.message).toBe(`${FILE} is not a whole checkpoint table`);
    }
  });

  it.each<[string, SavedTensor, TensorData, string]>([
    ['too few values', floats('w', [3]), { float_val: [1, 2] }, 'it has 2 values, but its shape needs 3'],
    ['values of another type', floats('w', [2]), { int_val: [1, 2] }, 'it has 0 values, but its shape needs 2'],
    ['too many values', floats('w', [1]), { float_val: [1, 2] }, 'it has 2 values, but its shape needs 1'],
    ['too few doubles', ofTwo(DataType.DT_DOUBLE), { double_val: [1] }, 'it has 1 values, but its shape needs 2'],
    [
      'too few complex numbers',
      ofTwo(DataType.DT_COMPLEX64),
      { scomplex_val: [1, 2] },
      'it has 1 values, but its shape needs 2',
    ],
    [
      'too many of them',
      ofTwo(DataType.DT_COMPLEX128),
      { dcomplex_val: [1, 2, 3, 4, 5, 6] },
      'it has 3 values, but its shape needs 2',
    ],
  ])('when a tensor has %s', (_, tensor, data, why) => {
    const error = failure(() => readBytes(save([tensor], () => data).tensor('w')));
    expect(error).toMatchObject({ code: 'unreadable', message: `the tensor w in ${FILE} is malformed`, why });
  });

  it.each([
    ['a gap', [ROWS[0]!], 'its parts hold 15 of 35 elements'],
    ['an overlap', [...ROWS, slice([0, 1], [0, 1])], 'the parts 0,3:0,5 and 0,1:0,1 overlap'],
    ['no parts', [], 'its parts hold 0 of 35 elements'],
  ])('when a partitioned tensor has %s', (_, slices, why) => {
    const error = failure(() => save([{ ...plane, slices }]));
    expect(error).toMatchObject({ code: 'unreadable', message: 'the checkpoint does not hold all of p', why });
  });

  describe('where what it stores is not what it lists:', () => {
    const { SavedTensorSlices, TensorProto } = tensorflow;
    const listed = (count: number) =>
      SavedTensorSlices.encode({
        meta: {
          tensor: [{ name: 'w', type: DataType.DT_FLOAT, shape: shapeProto([count]), slice: [{ extent: [{}] }] }],
        },
      }).finish();
    const key = encodeTensorNameSlice('w', slice([0, -1]));
    const reading = (count: number, ...stored: Uint8Array[]) => {
      const entries = [['', listed(count)] as const, ...stored.map((value) => [key, value] as const)];
      const checkpoint = openFiles(new Map([[FILE, writeTable(entries, { blockBytes: 1 })]]));
      return () => readNumbers(checkpoint.tensor('w'));
    };
    const large = Buffer.alloc(4 * 20_000, 1);

    it.each([
      ['nothing', 2, [], 'it is listed, but missing'],
      ['an empty message', 2, [Buffer.alloc(0)], 'its entry has no values'],
      ['nothing of a large tensor', 20_000, [], 'it is listed, but missing'],
      ['a number in place of a large tensor', 20_000, [message([numeric(2, 1)])], 'its entry has no values'],
    ])('%s', (_, count, stored, why) => {
      expect(failure(reading(count, ...stored))).toMatchObject({
        message: `the tensor w in ${FILE} is malformed`,
        why,
      });
    });

    it('what is no message', () => {
      expect(failure(reading(20_000, large.fill(255))).code).toBe('unreadable');
    });

    it('but not for fields that are unknown', () => {
      const values = Float32Array.from({ length: 20_000 }, (_, i) => i);
      const proto = Buffer.concat([
        TensorProto.encode({ float_val: [...values] }).finish(),
        message([delimited(50, large)]),
      ]);
      const later = delimited(50, message([delimited(3, large)]));
      const stored = message([delimited(2, message([delimited(3, proto), later])), later]);
      expect(readNumbersOf(reading(20_000, stored))).toEqual([0, 1, 19_999]);
    });

    /** The first two, and the last one. */
    const readNumbersOf = (read: () => ArrayLike<number | bigint>) => {
      const numbers = read();
      return [numbers[0], numbers[1], numbers[numbers.length - 1]];
    };
  });

  it('and closed', () => {
    const shard = (i: number) => `${FILE}-0000${i}-of-00002`;
    const files = new Map([
      [shard(0), writeV1([{ ...plane, slices: [ROWS[0]!] }], floatData)],
      [shard(1), writeV1([floats('w', [2])], floatData)],
    ]);
    const opened: string[] = [];
    const open = (path: string) => {
      const source = new MemorySource(files.get(path)!, path);
      opened.push(path);
      source.close = () => void opened.splice(opened.indexOf(path), 1);
      return source;
    };
    const error = failure(() => openCheckpoint({ format: 'V1', prefix: FILE, index: shard(1) }, open));
    expect(error).toMatchObject({ where: shard(1), why: 'its parts hold 15 of 35 elements' });
    expect(opened).toEqual([]);
  });

  it('when it is newer, or asked for what it has not', () => {
    expect(failure(() => save([], floatData, { minConsumer: 2 }))).toMatchObject({
      code: 'unsupported',
      message: `${FILE} has a newer checkpoint format`,
      where: FILE,
      why: 'it requires readers of version 2; bnfix reads up to 1',
      fix: 'save the checkpoint with an older TensorFlow, or update bnfix',
    });
    expect(save([floats('w', [1])], floatData, { minConsumer: 1 }).entries.size).toBe(1);
    expect(failure(() => save([floats('w', [1])]).tensor('v')).fix).toBe('did you mean w?');
  });
});
