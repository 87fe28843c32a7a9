import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHUNK_BYTES } from '../../../src/graph/chunk_ring.js';
import { DataType } from '../../../src/graph/dtype.js';
import { numberTensor, rawTensor, readBytes, stringTensor, type Tensor } from '../../../src/graph/tensor.js';
import { concatBytes } from '../../../src/io/bytes.js';
import { type OpenCheckpoint, openCheckpoint } from '../../../src/readers/checkpoint/checkpoint.js';
import { encodeCheckpoint } from '../../../src/writers/checkpoint/bundle.js';
import { encodeTable } from '../../../src/writers/checkpoint/table.js';
import type { Encoded } from '../../../src/writers/encoded.js';
import { type Saved, tableOf, writeV2 } from '../../readers/checkpoint/independent_writer.js';
import { opener } from '../../readers/checkpoint/write_table.js';
import { randomRuns } from '../../support/random.js';

const [INDEX, DATA] = ['model.index', 'model.data-00000-of-00001'];

function bytesOf({ chunks }: Encoded): Buffer {
  return Buffer.from(concatBytes(Array.from(chunks(), (chunk) => chunk.slice())));
}

/** The files of a checkpoint, in the order in which they are written. */
function written(tensors: Readonly<Record<string, Tensor>>): Map<string, Uint8Array> {
  const { data, index } = encodeCheckpoint(Object.entries(tensors).map(([key, tensor]) => ({ key, tensor })));
  const bytes = bytesOf(data);
  expect(bytes.length).toBe(data.byteLength);
  return new Map([
    [DATA, new Uint8Array(bytes)],
    [INDEX, new Uint8Array(bytesOf(index))],
  ]);
}

function opened(files: ReadonlyMap<string, Uint8Array>): OpenCheckpoint {
  return openCheckpoint({ format: 'V2', prefix: 'model', index: INDEX }, opener(new Map(files)));
}

/** The values of a checkpoint, by key. */
function tensorsOf(checkpoint: OpenCheckpoint): Record<string, Tensor> {
  return Object.fromEntries([...checkpoint.entries.keys()].map((key) => [key, checkpoint.tensor(key)]));
}

describe('a checkpoint that TensorFlow wrote', () => {
  const folder = fileURLToPath(new URL('golden/', import.meta.url));
  const golden = new Map([INDEX, DATA].map((name) => [name, new Uint8Array(readFileSync(folder + name))]));

  it('is written again to the same bytes', () => {
    const tensors = tensorsOf(opened(golden));
    expect(Object.keys(tensors)).toHaveLength(27);
    // In any order.
    const again = written(Object.fromEntries(Object.entries(tensors).reverse()));
    for (const [name, bytes] of again) expect(Buffer.compare(bytes, golden.get(name)!), name).toBe(0);
  });
});

it('a checkpoint is that of a writer which shares no code with this one', () => {
  const ELEMENTS = {
    float: fc.float(),
    int32: fc.integer(),
    uint8: fc.nat(255),
    string: fc.string({ unit: 'grapheme' }),
  };
  const saved = fc
    .record({
      name: fc.oneof(fc.stringMatching(/^[ab/._-]{1,6}$/), fc.string({ minLength: 1, unit: 'grapheme' })),
      dtype: fc.constantFrom(...(Object.keys(ELEMENTS) as (keyof typeof ELEMENTS)[])),
      shape: fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 3 }),
    })
    .filter(({ name }) => !name.startsWith('\0'))
    .chain(({ name, dtype, shape }) => {
      const count = shape.reduce((product, size) => product * size, 1);
      const options = { minLength: count, maxLength: count, size: 'max' as const };
      const elements = fc.array<number | string>(ELEMENTS[dtype], options);
      return elements.map((values): Saved => ({ name, dtype, shape, elements: values, boxes: [], shards: [0] }));
    });
  const layout = { blockBytes: 262_144, restartEvery: 16, snappy: false, shortKeys: true };
  fc.assert(
    fc.property(fc.uniqueArray(saved, { selector: ({ name }) => name, minLength: 1, maxLength: 40 }), (unsorted) => {
      const tensors = [...unsorted].sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
      const expected = writeV2('model', tensors, 1, layout);
      const files = written(Object.fromEntries(unsorted.map((one) => [one.name, tensorOf(one)])));
      for (const [name, bytes] of files) expect(Buffer.compare(bytes, expected.get(name)!), name).toBe(0);
    }),
    randomRuns(150),
  );
});

function tensorOf({ dtype, shape, elements }: Saved): Tensor {
  if (dtype === 'string') {
    return stringTensor(
      shape,
      elements.map((text) => new Uint8Array(Buffer.from(String(text)))),
    );
  }
  const type = { float: DataType.DT_FLOAT, int32: DataType.DT_INT32, uint8: DataType.DT_UINT8 };
  return numberTensor(type[dtype as keyof typeof type], shape, elements.map(Number));
}

it('a table of several blocks is that of the other writer', () => {
  const keys = fc.array(fc.constantFrom('layer/', 'w', 'a', '\0', '\xfe', 'x'.repeat(20)), { maxLength: 5 });
  const entries = fc.uniqueArray(
    fc.tuple(
      keys.map((parts) => parts.join('')),
      fc.uint8Array({ maxLength: 60 }),
    ),
    { selector: ([key]) => key, minLength: 1, maxLength: 60 },
  );
  fc.assert(
    fc.property(entries, fc.constantFrom(1, 40, 200, 4096), (unsorted, blockBytes) => {
      const sorted = unsorted.toSorted(([a], [b]) => (a < b ? -1 : 1));
      const given = sorted.map(([key, value]) => ({ key, value }));
      const expected = tableOf(
        sorted.map(([key, value]) => [Buffer.from(key, 'latin1'), value] as const),
        { blockBytes, restartEvery: 16, snappy: false, shortKeys: true },
      );
      const bytes = concatBytes([...encodeTable(given, blockBytes)]);
      expect(Buffer.from(bytes).toString('hex')).toBe(expected.toString('hex'));
    }),
    randomRuns(200),
  );
});

describe('values', () => {
  it('larger than a chunk are read while they are written, and once for an index alone', () => {
    const bytes = new Uint8Array(3 * CHUNK_BYTES + 4).map((_, i) => (i * 7) % 251);
    let reads = 0;
    const whole = rawTensor(DataType.DT_UINT8, [bytes.length], bytes);
    const tensor: Tensor = {
      ...whole,
      *chunks() {
        reads++;
        for (let at = 0; at < bytes.length; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES);
      },
    };
    const files = written({ large: tensor, small: numberTensor(DataType.DT_FLOAT, [2], [1, 2]) });
    expect(reads).toBe(1);
    const read = opened(files);
    expect(Buffer.compare(readBytes(read.tensor('large')), bytes)).toBe(0);
    const alone = encodeCheckpoint([{ key: 'large', tensor }]);
    opened(new Map([[INDEX, new Uint8Array(bytesOf(alone.index))]]));
    expect(reads).toBe(2);
  });

  it('that end early are a bug', () => {
    const tensor = { ...rawTensor(DataType.DT_UINT8, [4], new Uint8Array(4)), chunks: () => [new Uint8Array(3)] };
    const { data } = encodeCheckpoint([{ key: 'w', tensor }]);
    expect(() => bytesOf(data)).toThrow('a tensor ended 1 bytes early');
  });
});
