import { convertIndexedToRgb, type DecodedPng, decode as decodePng, encode as encodePng } from 'fast-png';
import { decode as decodeJpeg } from 'jpeg-js';
import { BnfixError } from '../../errors.js';
import { type TensorValue, tensorValue } from '../../run/value.js';
import { pixelChunks } from './png_chunks.js';
import { resized } from './resize.js';

/** How a picture becomes the input of a net: `(pixel - mean) * scale`, pixels from 0 to 255. */
export interface Pixels {
  readonly scale: number;
  /** One for all channels, or one for each. */
  readonly mean: readonly number[];
}

/** The largest picture that is decoded, in pixels. */
const MAX_PIXELS = 2 ** 26;

/** How much larger data can be than what deflate makes of it. */
const MAX_DEFLATE = 1032;

const latin1 = new TextDecoder('latin1');

/** Whether bytes are a PNG or JPEG file. */
export function isImage(bytes: Uint8Array): boolean {
  return isPng(bytes) || (bytes[0] === 0xff && bytes[1] === 0xd8);
}

function isPng(bytes: Uint8Array): boolean {
  return bytes[0] === 0x89 && bytes[1] === 0x50 && bytes[2] === 0x4e && bytes[3] === 0x47;
}

/** Height and width of a picture; undefined for its own. */
export interface ImageSize {
  readonly height?: number | undefined;
  readonly width?: number | undefined;
}

/**
 * Reads a picture as a float32 tensor [1, height, width, channels].
 * @param channels - 1 (grey), 3 (RGB) or 4; undefined for as many as it has, without alpha
 * @param size - of the tensor
 * @throws BnfixError `unreadable` when it is corrupt or larger than 64 megapixels
 */
export function readImage(
  bytes: Uint8Array,
  where: string,
  pixels: Pixels,
  channels: number | undefined,
  size: ImageSize = {},
): TensorValue {
  let decoded: Decoded;
  try {
    decoded = isPng(bytes) ? pngOf(bytes) : jpegOf(bytes);
  } catch (cause) {
    throw new BnfixError('unreadable', 'not a valid picture', { where, why: (cause as Error).message, cause });
  }
  const { width, height, data, max } = decoded;
  if (!(width * height > 0)) throw new BnfixError('unreadable', 'a picture without pixels', { where });
  const own = data.length / (width * height);
  const wanted = channels ?? (own > 2 ? 3 : 1);
  const at = (y: number, x: number, c: number) => {
    const value = (channelOf(decoded, (y * width + x) * own, own, c, wanted) * 255) / max;
    return Math.fround((value - (pixels.mean[c] ?? pixels.mean[0] ?? 0)) * pixels.scale);
  };
  const [newHeight, newWidth] = [size.height ?? height, size.width ?? width];
  const numbers = resized({ height, width, channels: wanted, at }, newHeight, newWidth);
  return tensorValue('float32', [1, newHeight, newWidth, wanted], numbers);
}

interface Decoded {
  readonly width: number;
  readonly height: number;
  readonly data: ArrayLike<number>;
  /** The largest value of a pixel. */
  readonly max: number;
}

function pngOf(bytes: Uint8Array): Decoded {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (latin1.decode(bytes.subarray(12, 16)) !== 'IHDR') throw new Error('it does not begin with its size');
  refuseHuge(view.getUint32(16), view.getUint32(20));
  if (view.getUint32(20) > bytes.length * MAX_DEFLATE) throw new Error('it is truncated');
  const png = decodePng(Buffer.concat(pixelChunks(bytes)));
  const { width, height } = png;
  const [isIndexed, isInterlaced] = [bytes[25] === 3, bytes[28] !== 0];
  if (isIndexed && !png.palette) throw new Error('it has no palette');
  if (png.depth < 8 && isInterlaced) throw new Error(`interlaced pictures of ${png.depth} bits are not supported`);
  if (png.palette) return { width, height, data: convertIndexedToRgb(png), max: 255 };
  return { width, height, data: png.depth < 8 ? unpacked(png) : png.data, max: 2 ** png.depth - 1 };
}

/** A number for each pixel of a grey picture of 1, 2 or 4 bits, of which a byte has several. A row begins at a byte. */
function unpacked({ width, height, depth, data }: DecodedPng): Uint8Array {
  const rowBytes = Math.ceil((width * depth) / 8);
  const out = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const bit = x * depth;
      const byte = data[y * rowBytes + (bit >> 3)]!;
      out[y * width + x] = (byte >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
    }
  }
  return out;
}

function jpegOf(bytes: Uint8Array): Decoded {
  const { width, height, data } = decodeJpeg(bytes, {
    useTArray: true,
    maxResolutionInMP: MAX_PIXELS / 1e6,
    maxMemoryUsageInMB: 2048,
  });
  return { width, height, data, max: 255 };
}

function refuseHuge(width: number, height: number): void {
  if (width * height > MAX_PIXELS) throw new Error(`it has ${width} x ${height} pixels`);
}

/** A channel of a pixel; grey from RGB by the weights of ITU-R BT.601, RGB from grey by repetition. */
function channelOf({ data, max }: Decoded, at: number, own: number, channel: number, wanted: number): number {
  if (own > 2 && wanted === 1) return 0.299 * data[at]! + 0.587 * data[at + 1]! + 0.114 * data[at + 2]!;
  if (own <= 2 && channel < 3) return data[at]!;
  const index = own <= 2 ? 1 : channel;
  // Without alpha, a pixel is opaque.
  return index < own ? data[at + index]! : max;
}

/** Writes 8-bit pixels as a PNG file. @param channels - 1 or 3 */
export function writePng(width: number, height: number, channels: 1 | 3, data: Uint8Array): Uint8Array {
  return encodePng({ width, height, channels, depth: 8, data });
}
