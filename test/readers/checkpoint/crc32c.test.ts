import { describe, expect, it } from 'vitest';
import { crc32c, crc32cNative, crc32cPortable, maskCrc, setNativeCrc32c, unmaskCrc } from '../../../src/io/crc32c.js';
import { loadNativeCrc32c } from '../../../src/io/native_crc32c.js';

setNativeCrc32c(loadNativeCrc32c);

const ascending = Uint8Array.from({ length: 5000 }, (_, i) => (i * 167 + (i >> 3)) & 0xff);

describe('crc32c', () => {
  it.each([
    // RFC 3720, B.4
    ['32 zeros', new Uint8Array(32), 0x8a9136aa],
    ['32 ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ['0 to 31', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    ['digits', Buffer.from('123456789'), 0xe3069283],
    ['nothing', new Uint8Array(0), 0],
  ])('of %s', (_, bytes, expected) => {
    expect(crc32c(bytes)).toBe(expected);
    expect(crc32cPortable(bytes)).toBe(expected);
  });

  it('is the same by the native and by the portable means, at any length and alignment', () => {
    const native = crc32cNative()!;
    expect(native).toBeDefined();
    for (let length = 0; length < 70; length++) {
      for (let start = 0; start < 9; start++) {
        const bytes = ascending.subarray(start, start + length);
        expect(crc32cPortable(bytes, start * 99)).toBe(native(bytes, start * 99));
      }
    }
    expect(crc32cPortable(ascending)).toBe(native(ascending));
  });

  it.each([
    ['native or portable', crc32c],
    ['portable', crc32cPortable],
  ])('continues where it was left (%s)', (_, crc) => {
    for (const cut of [0, 1, 7, 8, 9, 2500, 4999, 5000]) {
      expect(crc(ascending.subarray(cut), crc(ascending.subarray(0, cut)))).toBe(crc(ascending));
    }
  });

  it('is masked as TensorFlow does', () => {
    // What TensorFlow's TFRecordWriter writes after the record "foo".
    expect(maskCrc(crc32c(Buffer.from('foo')))).toBe(0xfebe8a61);
    for (const crc of [0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x12345678]) {
      expect(unmaskCrc(maskCrc(crc))).toBe(crc);
      expect(maskCrc(crc)).not.toBe(crc);
    }
  });
});
