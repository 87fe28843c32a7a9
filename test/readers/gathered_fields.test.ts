import { expect, it, vi } from 'vitest';
import { MemorySource } from '../../src/io/source.js';
import { GatheredFields } from '../../src/readers/gathered_fields.js';
import { WireReader } from '../../src/readers/wire.js';

/** The gathered fields of a message, all but those of number 1, and how many ranges were read. */
function gathered(bytes: readonly number[]) {
  const reader = new WireReader(new MemorySource(Uint8Array.from(bytes), 'x.pb'));
  const fields = new GatheredFields();
  for (const field of reader.fields(0, bytes.length)) if (field.number !== 1) fields.add(field);
  const read = vi.spyOn(reader, 'bytes');
  return { bytes: [...fields.read(reader)], ranges: read.mock.calls.length };
}

it('fields that follow each other are one range, however many they are', () => {
  const empty = new Array(50_000).fill([0x2a, 0]).flat();
  expect(gathered([...empty, 0x0a, 1, 7, 0x20, 5])).toEqual({ bytes: [...empty, 0x20, 5], ranges: 2 });
});

it('none', () => {
  expect(gathered([0x0a, 1, 7])).toEqual({ bytes: [], ranges: 0 });
});
