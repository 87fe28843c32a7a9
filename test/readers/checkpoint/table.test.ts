import { describe, expect, it } from 'vitest';
import { CHUNK_BYTES } from '../../../src/graph/chunk_ring.js';
import { crc32c, maskCrc } from '../../../src/io/crc32c.js';
import { type ByteSource, MemorySource } from '../../../src/io/source.js';
import { locate, lookUp, openTable, readTable, streamBlock } from '../../../src/readers/checkpoint/table.js';
import { failure } from '../../support/failure.js';
import { block, type Entry, fixed32, MAGIC, varint, writeTable } from './write_table.js';

const entries: Entry[] = Array.from({ length: 200 }, (_, i) => [
  `layer/${String(i).padStart(4, '0')}/w\xff`,
  Buffer.from(`value ${'x'.repeat(i % 40)}${i}`),
]);

const open = (bytes: Uint8Array) => openTable(new MemorySource(bytes, 'model.index'));

function readAll(bytes: Uint8Array): [string, string][] {
  return [...readTable(open(bytes))].map(({ key, value }) => [key, Buffer.from(value).toString()]);
}

/** A table of the given blocks, as they are: the last two are the metaindex and the index. */
function assemble(blocks: readonly Uint8Array[], type = 0, tail?: Buffer): Buffer {
  let at = 0;
  const handles: Buffer[] = [];
  const stored = blocks.map((contents) => {
    const checked = Buffer.concat([contents, Buffer.from([type])]);
    handles.push(Buffer.concat([varint(at), varint(contents.length)]));
    at += checked.length + 4;
    return Buffer.concat([checked, fixed32(maskCrc(crc32c(checked)))]);
  });
  const footer = tail ?? Buffer.concat(handles.slice(-2));
  return Buffer.concat([...stored, footer, Buffer.alloc(40 - footer.length), MAGIC]);
}

const handle = (offset: number, size: number) => Buffer.concat([varint(offset), varint(size)]);
const empty = block([]);

describe('a table', () => {
  it.each([
    ['one block', { blockBytes: 1e6 }],
    ['many blocks', { blockBytes: 100 }],
    ['a restart at every key', { blockBytes: 700, restartEvery: 1 }],
    ['no restart but the first', { blockBytes: 1e6, restartEvery: 1e6 }],
    ['snappy blocks', { blockBytes: 700, snappy: true }],
  ])('gives its entries: %s', (_, options) => {
    const bytes = writeTable(entries, options);
    expect(readAll(bytes)).toEqual(entries.map(([key, value]) => [key, value.toString()]));
    const table = open(bytes);
    for (const [key, value] of entries) expect(lookUp(table, key)).toEqual(new Uint8Array(value));
    for (const key of ['', 'layer/0010/', 'layer/0010/x', 'zzz']) expect(lookUp(table, key)).toBeUndefined();
  });

  it('may be empty', () => {
    expect(readAll(writeTable([]))).toEqual([]);
  });

  it.each([{ snappy: false }, { snappy: true }])('reports each flipped byte: %o', (options) => {
    const bytes = writeTable(entries.slice(0, 30), { blockBytes: 200, ...options });
    for (let at = 0; at < bytes.length; at++) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const corrupt = bytes.slice();
        corrupt[at]! ^= flip;
        expect(failure(() => readAll(corrupt)).code, `byte ${at} ^ ${flip}`).toBe('unreadable');
      }
    }
  });

  it('reports being cut short anywhere', () => {
    const bytes = writeTable(entries.slice(0, 9));
    for (let size = 0; size < bytes.length; size++) {
      expect(failure(() => readAll(bytes.slice(0, size))).message).toBe('model.index is not a whole checkpoint table');
    }
    expect(failure(() => readAll(bytes.slice(0, 60))).why).toBe(
      'its 60 bytes do not end with the magic number of a checkpoint table',
    );
  });

  it('names the block, the reason and the way out', () => {
    const bytes = writeTable(entries, { blockBytes: 500 });
    bytes[300]! ^= 1;
    const error = failure(() => readAll(bytes));
    expect(error).toMatchObject({
      code: 'unreadable',
      message: 'block at 0 of model.index has a wrong checksum',
      where: 'model.index',
      why: 'its bytes do not match their checksum',
    });
    expect(error.fix).toContain('copy or download');
  });

  it.each<[string, Buffer, string]>([
    ['a gap', assemble([empty, block([['k', handle(3, empty.length)]])]), 'a block starts at 3 instead of 13'],
    ['bytes of no block', assemble([empty, empty, empty]), 'a block starts at 13 instead of 0'],
    [
      'bytes between the last block and the footer',
      Buffer.concat([assemble([empty, empty]).subarray(0, 26), Buffer.alloc(3), assemble([empty, empty]).subarray(26)]),
      'its blocks end at 26, its footer starts at 29',
    ],
    [
      'a block past the end',
      assemble([empty, block([['k', handle(0, 2 ** 40)]])]),
      'a block starts at 0 instead of 1099511627781',
    ],
    [
      'an index past the end',
      assemble([empty, empty], 0, Buffer.concat([handle(0, 8), handle(13, 2 ** 45)])),
      'do not fit',
    ],
    // Two blocks of 13 bytes with their trailers: the footer starts at 26.
    [
      'an index that reaches into the footer',
      assemble([empty, empty], 0, Buffer.concat([handle(0, 8), handle(13, 9)])),
      'its 9 bytes do not fit',
    ],
    [
      'a metaindex behind the footer',
      assemble([empty, empty], 0, Buffer.concat([handle(70, 8), handle(13, 8)])),
      'its 8 bytes do not fit',
    ],
    ['a number beyond 2^53', assemble([empty, empty], 0, handle(2 ** 60, 8)), 'is not a valid size'],
    [
      'a number that runs into the padding',
      assemble([empty, empty], 0, Buffer.from([0, 8, 13, 0x88])),
      'a number in it is longer than necessary',
    ],
    ['a number without end', assemble([empty, empty], 0, Buffer.alloc(12, 0xff)), 'a number in it is not terminated'],
    [
      'padding that is not zero',
      assemble([empty, empty], 0, Buffer.concat([handle(0, 8), handle(13, 8), Buffer.from([0, 7])])),
      'padding',
    ],
    [
      'a handle that is too long',
      assemble([empty, block([['k', Buffer.concat([handle(0, 8), handle(0, 8)])]])]),
      'too long',
    ],
    ['an unknown compression', assemble([empty, empty], 2), 'its compression type 2 is unknown'],
    ['malformed snappy', assemble([empty, empty], 1), 'Invalid Snappy bitstream'],
    ['snappy that declares gigabytes', assemble([empty, Buffer.from('ffffffff07', 'hex')], 1), 'too big'],
    ['a block without restarts', assemble([Buffer.from([0, 0]), empty]), 'it has no restarts'],
    [
      'restarts without end',
      assemble([Buffer.from('ffffff7f', 'hex'), empty]),
      'its 2147483647 restarts do not fit into it',
    ],
  ])('refuses %s', (_, bytes, why) => {
    const error = failure(() => readAll(bytes));
    expect(error.code).toBe('unreadable');
    expect(error.message).toMatch(
      /^(the (footer|index) of model\.index is malformed|block at \d+ of model\.index (is malformed|cannot be decompressed))$/,
    );
    expect(error.why).toContain(why);
  });

  it('may have blocks of its own beside its data, which are checked', () => {
    const [extra, index] = [block([['n', empty]]), empty];
    const bytes = assemble([extra, block([['extra', handle(0, extra.length)]]), index]);
    expect(readAll(bytes)).toEqual([]);
    bytes[3]! ^= 1;
    expect(failure(() => readAll(bytes)).message).toBe('block at 0 of model.index has a wrong checksum');
  });

  it('has keys that share prefixes, up to 64 times the bytes of a block', () => {
    const growing = (count: number) =>
      Array.from({ length: count }, (_, i): Entry => ['k'.repeat(i + 1), Buffer.alloc(0)]);
    const write = (count: number) => writeTable(growing(count), { blockBytes: 1e9, restartEvery: 1e9 });
    expect(readAll(write(400))).toHaveLength(400);
    expect(failure(() => readAll(write(1000))).why).toBe('its keys are longer than the block');
  });

  it.each<[string, Buffer, string]>([
    [
      'keys out of order',
      block([
        ['b', empty],
        ['a', empty],
      ]),
      'its keys are not in order',
    ],
    [
      'the same key twice',
      block(
        [
          ['a', empty],
          ['a', empty],
        ],
        1,
      ),
      'its keys are not in order',
    ],
    [
      'keys above those of the index',
      block([
        ['a', empty],
        ['zz', empty],
      ]),
      'its keys contradict the index',
    ],
    ['no keys', empty, 'its keys contradict the index'],
    [
      'more shared than there is',
      Buffer.concat([Buffer.from([3, 1, 0, 0x61]), fixed32(0), fixed32(1)]),
      'a key shares more bytes than the key before it has',
    ],
    [
      'a value past its end',
      Buffer.concat([Buffer.from([0, 1, 99, 0x61]), fixed32(0), fixed32(1)]),
      'an entry does not fit into it',
    ],
    [
      'a value that ends in its restarts',
      Buffer.concat([Buffer.from([0, 1, 2, 0x61, 0x62]), fixed32(0), fixed32(1)]),
      'an entry does not fit into it',
    ],
  ])('refuses a block with %s', (_, contents, why) => {
    const bytes = assemble([contents, empty, block([['z', handle(0, contents.length)]])]);
    expect(failure(() => readAll(bytes))).toMatchObject({ message: 'block at 0 of model.index is malformed', why });
  });

  it('refuses a block that begins with the last key of the one before it', () => {
    const [a, b] = [block([['m', empty]]), block([['m', empty]])];
    const index = block([
      ['m', handle(0, a.length)],
      ['z', handle(a.length + 5, b.length)],
    ]);
    expect(failure(() => readAll(assemble([a, b, empty, index]))).why).toBe('its keys contradict the index');
  });

  it('refuses a block whose keys belong before it', () => {
    const [a, b] = [block([['m', empty]]), block([['c', empty]])];
    const index = block([
      ['n', handle(0, a.length)],
      ['z', handle(a.length + 5, b.length)],
    ]);
    expect(failure(() => readAll(assemble([a, b, empty, index]))).why).toBe('its keys contradict the index');
  });
});

describe('a value in a table', () => {
  /** Opens a table and notes what is read of it. */
  function opened(bytes: Uint8Array) {
    const source = new MemorySource(bytes, 'model.ckpt');
    const note = { bytes: 0, most: 0 };
    const reading = (length: number) => {
      note.bytes += length;
      note.most = Math.max(note.most, length);
    };
    const noting: ByteSource = {
      name: source.name,
      size: source.size,
      read: (offset, length) => {
        reading(length);
        return source.read(offset, length);
      },
      readInto: (target, offset) => {
        reading(target.length);
        source.readInto(target, offset);
      },
      close: () => {},
    };
    const table = openTable(noting);
    note.bytes = 0;
    note.most = 0;
    return { table, source, note };
  }
  const text = (bytes: Iterable<Uint8Array>) => Buffer.concat([...bytes]).toString();
  const small: Entry[] = [
    ['a', Buffer.from('one')],
    ['ab', Buffer.alloc(0)],
    ['abc', Buffer.from('two')],
    ['b', Buffer.from('three')],
  ];

  it.each([
    ['one block', {}],
    ['many blocks', { blockBytes: 100 }],
    ['a restart at every key', { restartEvery: 1 }],
  ])('is located in %s', (_, options) => {
    for (const all of [small, entries]) {
      const { table, source } = opened(writeTable(all, options));
      for (const [key, value] of all) {
        const { block: within, offset, size } = locate(table, key)!;
        expect(Buffer.from(source.read(offset, size)).equals(value), key).toBe(true);
        expect(table.blocks).toContain(within);
        expect(text(streamBlock(table, { block: within, offset, size }))).toBe(value.toString());
      }
      for (const key of ['', 'aa', 'abcd', 'layer/0199/', 'zzz']) expect(locate(table, key)).toBeUndefined();
    }
  });

  it('is located without the values before it', () => {
    const all: Entry[] = [
      ['a', Buffer.alloc(5000, 'a')],
      ['b', Buffer.alloc(5000, 'b')],
    ];
    const { table, note } = opened(writeTable(all, { blockBytes: 1e6 }));
    expect(locate(table, 'b')).toMatchObject({ offset: 5 + 5000 + 5, size: 5000 });
    expect(note.bytes).toBeLessThan(200);
  });

  it.each<[string, Buffer, number?]>([
    ['a block that is compressed', block(small), 1],
    ['a block that is too short for restarts', Buffer.from([0, 1])],
    ['restarts that do not fit', Buffer.concat([block(small).subarray(0, -4), fixed32(1000)])],
    ['more shared than there is', Buffer.concat([Buffer.from([2, 0, 0, 0, 1, 0, 0x7a]), fixed32(0), fixed32(1)])],
    ['a value past its end', Buffer.concat([Buffer.from([0, 1, 9, 0x7a]), fixed32(0), fixed32(1)])],
  ])('is not located in %s', (_, contents, type = 0) => {
    // The other blocks of the table are not compressed.
    const checked = Buffer.concat([contents, Buffer.from([type])]);
    const stored = Buffer.concat([checked, fixed32(maskCrc(crc32c(checked)))]);
    const rest = assemble([empty, block([['z', handle(0, contents.length)]])]);
    const [metaindex, index] = [stored.length, stored.length + empty.length + 5];
    const footer = Buffer.concat([
      handle(metaindex, empty.length),
      handle(index, rest.length - 48 - empty.length - 10),
    ]);
    const bytes = Buffer.concat([stored, rest.subarray(0, -48), footer, Buffer.alloc(40 - footer.length), MAGIC]);
    expect(locate(opened(bytes).table, 'z')).toBeUndefined();
  });

  it('without bytes has no chunks', () => {
    const { table } = opened(writeTable(small));
    expect([...streamBlock(table, locate(table, 'ab')!)]).toEqual([]);
  });

  it('is checked with the rest of its block, once', () => {
    const bytes = writeTable(small);
    const { table, note } = opened(bytes);
    const stored = locate(table, 'abc')!;
    note.bytes = 0;
    expect(text(streamBlock(table, stored))).toBe('two');
    expect(note.bytes).toBe(stored.block.size + 5);
    note.bytes = 0;
    expect(text(streamBlock(table, stored))).toBe('two');
    expect(note.bytes).toBe(3);

    for (const at of [0, stored.offset, stored.block.size - 1, stored.block.size, stored.block.size + 1]) {
      const corrupt = bytes.slice();
      corrupt[at]! ^= 1;
      const chunks = streamBlock(opened(corrupt).table, stored);
      expect(chunks.next().done, `byte ${at}`).toBe(false);
      expect(failure(() => chunks.next())).toMatchObject({
        code: 'unreadable',
        message: 'block at 0 of model.ckpt has a wrong checksum',
      });
    }
  });

  it('in a large block is read without the others, and checked once', () => {
    const all: Entry[] = [
      ['a', Buffer.from('small')],
      ['b', Buffer.alloc(CHUNK_BYTES + 10, 'b')],
    ];
    const bytes = writeTable(all, { blockBytes: 1e9 });
    const { table, note } = opened(bytes);
    expect(lookUp(table, 'a')).toEqual(new Uint8Array(Buffer.from('small')));
    expect(note.most).toBe(CHUNK_BYTES);
    note.bytes = 0;
    expect(lookUp(table, 'a')).toEqual(new Uint8Array(Buffer.from('small')));
    expect(note.bytes).toBeLessThan(200);
    expect(Buffer.from(lookUp(table, 'b')!).equals(all[1]![1])).toBe(true);
    bytes[100]! ^= 1;
    expect(failure(() => lookUp(opened(bytes).table, 'a')).message).toContain('wrong checksum');
  });
});
