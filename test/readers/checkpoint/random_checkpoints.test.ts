import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readBytes } from '../../../src/graph/tensor.js';
import { MemorySource } from '../../../src/io/source.js';
import { openCheckpoint } from '../../../src/readers/checkpoint/checkpoint.js';
import { lookUp, openTable, readTable } from '../../../src/readers/checkpoint/table.js';
import { randomRuns } from '../../support/random.js';
import { type Box, rawBytes, type Saved, tableOf, writeV1, writeV2 } from './independent_writer.js';
import { opener } from './write_table.js';

const layouts = fc.record({
  blockBytes: fc.constantFrom(1, 40, 200, 4096),
  restartEvery: fc.constantFrom(1, 2, 16, 1000),
  snappy: fc.boolean(),
  shortKeys: fc.boolean(),
});

/** Keys with long common beginnings, and ones that are the beginning of others. */
const keys = fc.array(fc.constantFrom('layer/', 'w', 'a', '\0', '\xff', '\xfe', 'x'.repeat(20)), { maxLength: 5 });
const tables = fc.uniqueArray(
  fc.tuple(
    keys.map((parts) => Buffer.from(parts.join(''), 'latin1')),
    fc.uint8Array({ maxLength: 60 }),
  ),
  { selector: ([key]) => key.toString('latin1'), maxLength: 40 },
);

it('a table gives the entries that it was written with, in order and one by one', () => {
  fc.assert(
    fc.property(tables, layouts, (entries, layout) => {
      const table = openTable(new MemorySource(new Uint8Array(tableOf(entries, layout)), 'table'));
      const sorted = [...entries].sort(([a], [b]) => Buffer.compare(a, b));
      const read = [...readTable(table)].map(({ key, value }) => [key, [...value]]);
      expect(read).toEqual(sorted.map(([key, value]) => [key.toString('latin1'), [...value]]));
      for (const [key, value] of entries) {
        const text = key.toString('latin1');
        expect([...lookUp(table, text)!]).toEqual([...value]);
        for (const other of [`${text}\0`, text.slice(0, -1), `${text}layer/w`]) {
          const expected = entries.find(([each]) => each.toString('latin1') === other);
          expect(lookUp(table, other)?.join(), other).toBe(expected?.[1].join());
        }
      }
    }),
    randomRuns(200),
  );
});

const numbers = { float: fc.float({ noNaN: true }), double: fc.double({ noNaN: true }), int32: fc.integer() };
const ELEMENTS: Record<Saved['dtype'], fc.Arbitrary<number | bigint | string>> = {
  ...numbers,
  uint8: fc.integer({ min: 0, max: 255 }),
  bool: fc.integer({ min: 0, max: 1 }),
  int64: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
  string: fc.string({ maxLength: 9, unit: 'grapheme' }),
};

/** Cuts a tensor into a grid of boxes; a dimension without cuts may be given as a whole. */
function gridOf(shape: readonly number[], cuts: readonly number[][], asWhole: boolean): Box[] {
  return shape.reduce<Box[]>(
    (boxes, size, axis) => {
      const at = [...new Set(cuts[axis]!.map((cut) => cut % size))].filter((cut) => cut > 0).sort((a, b) => a - b);
      const parts = [0, ...at].map((start, i) => ({ start, length: (at[i] ?? size) - start }));
      if (asWhole && at.length === 0) parts[0] = { start: 0, length: -1 };
      return boxes.flatMap((box) => parts.map((part) => [...box, part]));
    },
    [[]],
  );
}

const names = fc.oneof(
  fc.constantFrom('conv/weights', 'bn/moving_mean', 'ü', 'a'),
  fc.string({ minLength: 1, maxLength: 12 }),
);
const sizeOf = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1);
const saved = fc
  .record({
    name: names.filter((name) => !name.startsWith('\0')),
    dtype: fc.constantFrom(...(Object.keys(ELEMENTS) as Saved['dtype'][])),
    shape: fc.array(fc.constantFrom(1, 2, 3, 5, 70), { maxLength: 3 }).filter((shape) => sizeOf(shape) < 400),
    cuts: fc.array(fc.array(fc.nat(99), { maxLength: 2 }), { minLength: 3, maxLength: 3 }),
    isCut: fc.boolean(),
    asWhole: fc.boolean(),
    shards: fc.array(fc.nat(2), { minLength: 27, maxLength: 27 }),
    backwards: fc.boolean(),
  })
  .chain(({ name, dtype, shape, cuts, isCut, asWhole, shards, backwards }) => {
    const count = sizeOf(shape);
    const grid = isCut && shape.length > 0 ? gridOf(shape, cuts, asWhole) : [];
    const boxes = backwards ? grid.reverse() : grid;
    return fc
      .array(ELEMENTS[dtype], { minLength: count, maxLength: count, size: 'max' })
      .map((elements): Saved => ({ name, dtype, shape, elements, boxes, shards }));
  });
const checkpoints = fc.uniqueArray(saved, { selector: ({ name }) => name, maxLength: 6 });

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

it.each([
  { format: 'V2' as const, write: writeV2 },
  { format: 'V1' as const, write: writeV1 },
])('a $format checkpoint gives the tensors that it was written with, whole and in parts', ({ format, write }) => {
  fc.assert(
    fc.property(checkpoints, fc.integer({ min: 1, max: 3 }), layouts, (given, shards, layout) => {
      const tensors = given.map((one) => ({ ...one, shards: one.shards.map((shard) => shard % shards) }));
      const files = write('model', tensors, shards, layout);
      const index = [...files.keys()][0]!;
      const bytes = new Map([...files].map(([name, content]) => [name, new Uint8Array(content)]));
      const checkpoint = openCheckpoint({ format, prefix: 'model', index }, opener(bytes));
      expect(checkpoint.format).toBe(format);
      expect([...checkpoint.entries.keys()].sort()).toEqual(tensors.map(({ name }) => name).sort());
      for (const tensor of tensors) {
        const { name, dtype, shape, elements } = tensor;
        const read = checkpoint.tensor(name);
        expect(read.shape).toEqual(shape);
        if (dtype === 'string') expect(read.strings().map(text)).toEqual(elements);
        else expect(Buffer.from(readBytes(read)).equals(rawBytes(tensor)), name).toBe(true);
        if (shape.length === 0) continue;
        // The last row, whatever parts it is in.
        const row = elements.length / shape[0]!;
        const part = checkpoint.slice(name, [
          { start: shape[0]! - 1, length: 1 },
          ...shape.slice(1).map(() => ({ start: 0, length: -1 })),
        ]);
        const expected = elements.slice(-row);
        if (dtype === 'string') expect(part.strings().map(text)).toEqual(expected);
        else expect(Buffer.from(readBytes(part)).equals(rawBytes({ dtype, elements: expected })), name).toBe(true);
      }
      checkpoint.close();
    }),
    randomRuns(100),
  );
});
