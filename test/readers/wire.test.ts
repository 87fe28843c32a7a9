import { describe, expect, it } from 'vitest';
import { MemorySource } from '../../src/io/source.js';
import { WireReader } from '../../src/readers/wire.js';
import { failure } from '../support/failure.js';
import { delimited, encodedField, message, numeric } from '../support/wire.js';

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const readerOf = (content: Uint8Array) => new WireReader(new MemorySource(content, 'graph.pb'));
const fieldsOf = (content: Uint8Array, start = 0, end = content.length) => [...readerOf(content).fields(start, end)];

describe('WireReader', () => {
  it('gives the place of each field, whatever its type', () => {
    const fields = fieldsOf(bytes('08 9601 11 0102030405060708 1a 02 abcd 25 01020304 8280800c 00'));
    expect(fields).toEqual([
      { number: 1, wireType: 0, start: 0, offset: 1, length: 2 },
      { number: 2, wireType: 1, start: 3, offset: 4, length: 8 },
      { number: 3, wireType: 2, start: 12, offset: 14, length: 2 },
      { number: 4, wireType: 5, start: 16, offset: 17, length: 4 },
      { number: 3_145_728, wireType: 2, start: 21, offset: 26, length: 0 },
    ]);
  });

  it('reads a part of the source only', () => {
    expect(fieldsOf(bytes('ff 08 01 10 02 ff'), 1, 5).map(({ number }) => number)).toEqual([1, 2]);
    expect(fieldsOf(bytes('08 01'), 2, 2)).toEqual([]);
  });

  it.each([
    ['0a 05 61', 'graph.pb, byte 0', 'field 1 needs 5 bytes; 1 remain'],
    ['08 01 12 02 61', 'graph.pb, byte 2', 'field 2 needs 2 bytes; 1 remain'],
    ['0d 00 00 00', 'graph.pb, byte 0', 'field 1 needs 4 bytes; 3 remain'],
    ['09 00 00 00', 'graph.pb, byte 0', 'field 1 needs 8 bytes; 3 remain'],
    ['08', 'graph.pb, byte 1', 'a number is not terminated'],
    ['08 ff', 'graph.pb, byte 1', 'a number is not terminated'],
    ['08 ff ff ff ff ff ff ff ff ff ff 01', 'graph.pb, byte 1', 'a number is not terminated'],
    ['02 00', 'graph.pb, byte 0', 'a field has number 0'],
    ['0b', 'graph.pb, byte 0', "wire type 3 does not occur in TensorFlow's files"],
    ['0c', 'graph.pb, byte 0', "wire type 4 does not occur in TensorFlow's files"],
    ['0e', 'graph.pb, byte 0', "wire type 6 does not occur in TensorFlow's files"],
    ['0f', 'graph.pb, byte 0', "wire type 7 does not occur in TensorFlow's files"],
  ])('refuses %s', (hex, where, why) => {
    expect(failure(() => fieldsOf(bytes(hex)))).toMatchObject({
      code: 'unreadable',
      message: 'graph.pb is not a complete protobuf file',
      where,
      why,
    });
  });

  it('does not read beyond the end of a message, though the source goes on', () => {
    expect(failure(() => fieldsOf(bytes('0a 03 61 62 63'), 0, 4)).why).toBe('field 1 needs 3 bytes; 2 remain');
    expect(failure(() => fieldsOf(bytes('08 ff 01'), 0, 2)).why).toBe('a number is not terminated');
  });

  it('reads a number of ten bytes', () => {
    expect(fieldsOf(bytes('08 ff ff ff ff ff ff ff ff ff 01 10 02')).map(({ number }) => number)).toEqual([1, 2]);
  });

  it('moves its window over a file of any size; what it gave stays as it is', () => {
    // Values around the sizes of the window and of the buffers that small values share.
    const sizes = [1, 100, 16_384, 16_385, 40_000, 65_536, 200_000, 262_144, 262_145, 300_000, 3, 70_000];
    const values = sizes.map((size, i) => new Uint8Array(size).map((_, at) => (at * 7 + i) & 255));
    const content = new Uint8Array(message(values.map((value, i) => delimited(i + 1, value))));
    const reader = readerOf(content);
    const read = [...reader.fields(0, content.length)].map(({ offset, length }) => reader.bytes(offset, length));
    for (const [i, value] of values.entries()) expect(Buffer.from(read[i]!).equals(value), `${sizes[i]}`).toBe(true);
    // And backwards.
    const fields = [...readerOf(content).fields(0, content.length)].reverse();
    for (const { number, offset, length } of fields) {
      expect(Buffer.from(reader.bytes(offset, length)).equals(values[number - 1]!)).toBe(true);
    }
  });

  it('reads a source in large pieces: many small fields need few reads', () => {
    const content = new Uint8Array(message(Array.from({ length: 50_000 }, (_, i) => numeric(1, i))));
    const source = new MemorySource(content, 'graph.pb');
    let reads = 0;
    const counting = {
      name: source.name,
      size: source.size,
      read: (offset: number, length: number) => {
        reads++;
        return source.read(offset, length);
      },
      readInto: source.readInto.bind(source),
      close: () => {},
    };
    const reader = new WireReader(counting);
    let last = 0;
    for (const { offset, length } of reader.fields(0, content.length)) last = reader.bytes(offset, length).at(-1)!;
    expect(last).toBe(encodedField(numeric(1, 49_999)).at(-1));
    expect(reads).toBeLessThan(5);
  });
});
