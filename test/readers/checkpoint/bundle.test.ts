import { describe, expect, it } from 'vitest';
import { BnfixError } from '../../../src/errors.js';
import { bytesPerElement, DataType, dtypeName } from '../../../src/graph/dtype.js';
import { readBytes, readNumbers } from '../../../src/graph/tensor.js';
import { MemorySource } from '../../../src/io/source.js';
import { tensorflow } from '../../../src/proto/tensorflow.js';
import { openCheckpoint } from '../../../src/readers/checkpoint/checkpoint.js';
import { readObjectGraph } from '../../../src/readers/checkpoint/object_graph.js';
import { failure } from '../../support/failure.js';
import { DATA, FILES, INDEX, NAME, openFiles, ROWS, readAll, save, texts } from './model.js';
import { floats, type SavedTensor, shapeProto, writeBundle, writeTable } from './write_table.js';

const pattern = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 37 + 11) & 0xff);
const NUMERIC = Object.values(DataType)
  .filter((dtype): dtype is DataType => typeof dtype === 'number' && bytesPerElement(dtype) !== undefined)
  .map((dtype) => ({ name: dtypeName(dtype), dtype, shape: [2, 3], bytes: pattern(6 * bytesPerElement(dtype)!) }));

const SMALL: SavedTensor[] = [
  floats('conv/weights', [7, 5]),
  floats('scalar', []),
  { name: 'names', dtype: DataType.DT_STRING, shape: [3], strings: ['a', '', 'x\xff\0'.repeat(50)] },
  floats('rows', [7, 5], { slices: ROWS }),
];

describe('a V2 checkpoint', () => {
  it('says what is in it without reading values', () => {
    const files = writeBundle(NAME, SMALL);
    files.delete(DATA);
    const checkpoint = openFiles(files);
    expect(checkpoint).toMatchObject({ name: NAME, format: 'V2', files: [INDEX, DATA] });
    expect([...checkpoint.entries.keys()]).toEqual(['conv/weights', 'names', 'rows', 'scalar']);
    expect(checkpoint.entries.get('conv/weights')).toMatchObject({
      dtype: DataType.DT_FLOAT,
      shape: [7, 5],
      slices: [],
    });
    expect(checkpoint.entries.get('rows')).toMatchObject({ shape: [7, 5], slices: ROWS });
    expect(checkpoint.tensor('conv/weights')).toMatchObject({
      dtype: DataType.DT_FLOAT,
      shape: [7, 5],
      byteLength: 140,
      origin: `conv/weights in ${DATA}`,
    });
  });

  it.each([{ bigEndian: false }, { bigEndian: true }])('holds all types of numbers: %o', (options) => {
    expect(NUMERIC.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['bfloat16', 'complex128', 'bool', 'qint32']),
    );
    const read = readAll(save(NUMERIC, options));
    for (const { name, bytes } of NUMERIC) expect(read.get(name), name).toEqual(bytes);
  });

  it('swaps the halves of a complex number apart', () => {
    const bytes = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]);
    const files = writeBundle(NAME, [{ name: 'c', dtype: DataType.DT_COMPLEX64, shape: [], bytes }], {
      bigEndian: true,
    });
    expect([...files.get(DATA)!]).toEqual([4, 3, 2, 1, 8, 7, 6, 5]);
    expect(readBytes(openFiles(files).tensor('c'))).toEqual(bytes);
  });

  it.each([{ bigEndian: false }, { bigEndian: true }, { snappy: true, blockBytes: 100 }])(
    'holds strings: %o',
    (options) => {
      const strings = ['', 'one', 'x'.repeat(300), '\0\xff', '', 'last'];
      const checkpoint = save(
        [
          { name: 's', dtype: DataType.DT_STRING, shape: [2, 3], strings },
          { name: 'none', dtype: DataType.DT_STRING, shape: [0], strings: [] },
        ],
        options,
      );
      expect(texts(checkpoint.tensor('s').strings())).toEqual(strings);
      expect(checkpoint.tensor('s')).toMatchObject({ shape: [2, 3], byteLength: 0 });
      expect(checkpoint.tensor('none').strings()).toEqual([]);
    },
  );

  it('holds scalars, and tensors of no elements', () => {
    const checkpoint = save([floats('scalar', []), floats('none', [0, 4])]);
    expect([...readNumbers(checkpoint.tensor('scalar'))]).toEqual([0.5]);
    expect(readBytes(checkpoint.tensor('none'))).toEqual(new Uint8Array(0));
  });

  it('may be in several data files', () => {
    const tensors = [floats('a', [3], { shard: 2 }), floats('b', [4], { shard: 0 }), floats('c', [5], { shard: 2 })];
    const files = writeBundle(NAME, tensors, { shards: 3 });
    const checkpoint = openFiles(files);
    expect(checkpoint.files.slice(1)).toEqual([0, 1, 2].map((i) => `${NAME}.data-0000${i}-of-00003`));
    for (const { name, bytes } of tensors) expect(readBytes(checkpoint.tensor(name))).toEqual(bytes);
    files.delete(`${NAME}.data-00000-of-00003`);
    const partial = openFiles(files);
    expect(readBytes(partial.tensor('c'))).toEqual(tensors[2]!.bytes);
    expect(failure(() => readBytes(partial.tensor('b')))).toMatchObject({
      code: 'unreadable',
      message: `${NAME}.data-00000-of-00003 is missing`,
    });
  });

  it('closes what it opened', () => {
    const open: string[] = [];
    const files = writeBundle(NAME, [floats('a', [3])]);
    const checkpoint = openCheckpoint(FILES, (path) => {
      const source = new MemorySource(files.get(path)!, path);
      open.push(path);
      source.close = () => open.splice(open.indexOf(path), 1);
      return source;
    });
    expect(open).toEqual([]);
    readBytes(checkpoint.tensor('a'));
    readBytes(checkpoint.tensor('a'));
    expect(open).toEqual([DATA]);
    checkpoint.close();
    expect(open).toEqual([]);
  });
});

describe('what cannot be read', () => {
  it('is refused: unknown keys, with the names that are near', () => {
    const checkpoint = save([floats('bn/moving_mean', [2]), floats('bn/moving_variance', [2]), floats('w', [2])]);
    expect(failure(() => checkpoint.tensor('bn/moving_men'))).toMatchObject({
      code: 'statistics',
      message: 'the checkpoint has no tensor bn/moving_men',
      where: NAME,
      fix: 'did you mean bn/moving_mean?',
    });
    expect(failure(() => checkpoint.tensor('completely/else')).fix).toContain('same training run');
    expect(failure(() => checkpoint.slice('v', [])).fix).toBe('did you mean w?');
  });

  it.each([DataType.DT_RESOURCE, DataType.DT_VARIANT, 29 as DataType])(
    'is refused: type %i, when it is asked for',
    (dtype) => {
      const checkpoint = save([floats('r', [2]), floats('w', [2])], { edit: { r: { dtype } } });
      expect(checkpoint.entries.get('r')?.dtype).toBe(dtype);
      expect(failure(() => checkpoint.tensor('r')).code).toBe('unsupported');
      expect(readNumbers(checkpoint.tensor('w'))).toHaveLength(2);
    },
  );

  it('is refused: a newer format', () => {
    expect(failure(() => save([], { minConsumer: 2 }))).toMatchObject({
      code: 'unsupported',
      message: `${INDEX} has a newer checkpoint format`,
    });
    expect(save([], { minConsumer: 1 }).entries.size).toBe(0);
  });

  /** An index of one entry under this header. */
  const withHeader = (header: tensorflow.BundleHeaderProto.$Properties | Uint8Array | undefined) => {
    const value =
      header instanceof Uint8Array ? header : header && tensorflow.BundleHeaderProto.encode(header).finish();
    const entry = tensorflow.BundleEntryProto.encode({ dtype: DataType.DT_FLOAT, shape: {}, size: 4 }).finish();
    return new Map([[INDEX, writeTable([...(value ? [['', value] as const] : []), ['w', entry] as const])]]);
  };

  it('is refused: an index without a header, or with one that cannot be decoded', () => {
    expect(failure(() => openFiles(withHeader(undefined)))).toMatchObject({
      code: 'unreadable',
      message: `${INDEX} is not a checkpoint index`,
      where: INDEX,
      why: 'it has no header',
    });
    expect(failure(() => openFiles(withHeader(Buffer.from([8])))).message).toBe(`the header of ${INDEX} is malformed`);
  });

  it('is refused: a number of data files that cannot be', () => {
    for (const num_shards of [-1, 0, 100_000, 2 ** 31 - 1]) {
      expect(failure(() => openFiles(withHeader({ num_shards })))).toMatchObject({
        code: 'unreadable',
        message: `the header of ${INDEX} is malformed`,
        why: `it declares ${num_shards} data files`,
      });
    }
    expect(openFiles(withHeader({ num_shards: 1 })).files).toEqual([INDEX, DATA]);
    const most = openFiles(withHeader({ num_shards: 99_999 }));
    expect(most.files).toHaveLength(100_000);
    expect(most.files.at(-1)).toBe(`${NAME}.data-99998-of-99999`);
  });

  it('is refused: an entry that cannot be decoded, by its name; one of a slice by that of its tensor', () => {
    const header = tensorflow.BundleHeaderProto.encode({ num_shards: 1 }).finish();
    const message = (key: string) =>
      failure(() =>
        openFiles(
          new Map([
            [
              INDEX,
              writeTable([
                ['', header],
                [key, Buffer.from([8])],
              ]),
            ],
          ]),
        ),
      ).message;
    expect(message('a/b')).toBe(`the entry of a/b in ${INDEX} is malformed`);
    expect(message('\0a/b\0\x01\x01')).toBe(`the entry of a slice of a/b in ${INDEX} is malformed`);
  });

  it.each<[string, tensorflow.BundleEntryProto.$Properties, string]>([
    ['a negative size', { shape: shapeProto([-1]) }, 'its shape is [-1]'],
    ['an unknown rank', { shape: { unknown_rank: true } }, 'its shape is [unknown]'],
    ['a size beyond 2^53', { shape: shapeProto([2 ** 60]) }, 'its shape is [1152921504606847000]'],
    ['a gigantic shape', { shape: shapeProto([2 ** 40, 2 ** 40]) }, 'its shape is [1099511627776, 1099511627776]'],
    ['a negative offset', { offset: -4 }, '-4 is not a valid size'],
    ['a file that is none', { shard_id: 1 }, 'it has no data file 1'],
    ['a negative file', { shard_id: -1 }, 'it has no data file -1'],
    ['a size that is not that of its shape', { size: 7 }, 'it has 7 bytes, but its shape needs 8'],
    ['an offset past the end', { offset: 2 ** 42 }, 'it has 8 bytes, but needs at least 4398046511112'],
  ])('is refused: an entry with %s', (_, w, why) => {
    const error = failure(() => readBytes(save([floats('w', [2])], { edit: { w } }).tensor('w')));
    expect(error).toMatchObject({ code: 'unreadable', why });
  });

  it('is refused: a rank above 254, as in TensorFlow', () => {
    const ofRank = (rank: number) => save([floats('w', new Array(rank).fill(1))]).tensor('w');
    expect(ofRank(254).shape).toHaveLength(254);
    expect(failure(() => ofRank(255)).why).toBe(`its shape is [${new Array(255).fill(1).join(', ')}]`);
  });

  it('is refused: what stands in for a data file', () => {
    const files = writeBundle(NAME, [floats('w', [2])]);
    const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n';
    for (const [bytes, what] of [
      [Buffer.from(pointer), 'a Git LFS pointer'],
      [new Uint8Array(0), 'empty'],
    ] as const) {
      files.set(DATA, bytes);
      const { code, message } = failure(() => readBytes(openFiles(files).tensor('w')));
      expect([code, message]).toEqual(['unreadable', expect.stringContaining(what)]);
    }
  });

  it('is refused: a data file that cannot be opened, with the reason of the system', () => {
    const files = writeBundle(NAME, [floats('w', [2])]);
    const opening = (error: Error) => {
      const checkpoint = openCheckpoint(FILES, (path) => {
        if (path === DATA) throw error;
        return new MemorySource(files.get(path)!, path);
      });
      return () => readBytes(checkpoint.tensor('w'));
    };
    const denied = Object.assign(new Error('permission denied'), { code: 'EACCES' });
    expect(opening(denied)).toThrow(denied);
    const missing = Object.assign(new Error('no such file'), { code: 'ENOENT' });
    const wrapped = new BnfixError('unreadable', 'cannot read', { cause: missing });
    for (const error of [missing, wrapped])
      expect(failure(opening(error))).toMatchObject({
        message: `${DATA} is missing`,
        where: DATA,
        why: `${INDEX} names it as a data file of the checkpoint`,
        fix: 'copy it from where the checkpoint was saved into the same folder, under the same name',
      });
  });

  it.each<[tensorflow.BundleEntryProto.$Properties, string]>([
    [{ shape: shapeProto([2 ** 31]) }, '8 bytes cannot hold 2147483648 strings'],
    [{ size: 7 }, 'its 7 bytes do not match the lengths of its strings'],
  ])('is refused: strings whose lengths do not fit', (s, why) => {
    const strings = { name: 's', dtype: DataType.DT_STRING, shape: [1], strings: ['abc'] };
    expect(failure(() => save([strings], { edit: { s } }).tensor('s').strings()).why).toBe(why);
  });
});

describe('the object graph of TF2', () => {
  it('is read from its key', () => {
    const nodes = [
      { children: [{ node_id: 1, local_name: 'bn' }] },
      { attributes: [{ name: 'VARIABLE_VALUE', checkpoint_key: 'bn/v' }] },
    ];
    const graph = Buffer.from(tensorflow.TrackableObjectGraph.encode({ nodes }).finish()).toString('latin1');
    const tensor = { name: '_CHECKPOINTABLE_OBJECT_GRAPH', dtype: DataType.DT_STRING, shape: [], strings: [graph] };
    const read = readObjectGraph(save([tensor]))!;
    expect(read.nodes[0]?.children?.[0]?.local_name).toBe('bn');
    expect(read.nodes[1]?.attributes?.[0]?.checkpoint_key).toBe('bn/v');
    expect(readObjectGraph(save([floats('w', [1])]))).toBeUndefined();
    expect(failure(() => readObjectGraph(save([{ ...tensor, strings: ['\xff\xff'] }]))).message).toBe(
      `the object graph of ${NAME} is malformed`,
    );
  });
});
