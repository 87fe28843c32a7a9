import { concatBytes, fixed32 } from '../../io/bytes.js';
import { crc32c, maskCrc } from '../../io/crc32c.js';
import { varint } from '../../io/varint.js';

/**
 * A tensor of strings as a data file has it (WriteStringTensor of tensor_bundle.cc): the lengths as varints, a checksum of
 * the lengths, the strings.
 * @returns `crc`: the checksum of the entry, which covers the lengths as numbers of 32 bits, not as varints
 */
export function encodeStrings(values: readonly Uint8Array[]): { readonly bytes: Uint8Array; readonly crc: number } {
  const lengthsCrc = crc32c(concatBytes(values.map(({ length }) => fixed32(length))));
  const rest = concatBytes([fixed32(maskCrc(lengthsCrc)), ...values]);
  const bytes = concatBytes([...values.map(({ length }) => varint(length)), rest]);
  return { bytes, crc: crc32c(rest, lengthsCrc) };
}
