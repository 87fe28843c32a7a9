import type { TensorValue } from '../run/value.js';

/** Pixels of an image, row by row, from 0 to 255. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly pixels: Uint8Array;
}

/** The values that are drawn black and white; those beyond are drawn like them. */
export interface TonalRange {
  readonly black: number;
  readonly white: number;
}

/** A tensor that looks like a batch of images. */
export interface Images {
  readonly examples: number;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly value: TensorValue;
  /** How far the next row, column and channel are, in elements. */
  readonly strides: readonly [y: number, x: number, channel: number];
}

/** Less than this is a feature map, not an image. */
const SMALLEST = 8;
/** Larger images are reduced to this, in pixels of the longer side. */
const LARGEST = 256;

/** A tensor as images, by its shape: `[batch, height, width, 1 or 3]`, or with the channels second. */
export function imagesOf(value: TensorValue): Images | undefined {
  const { shape, dtype } = value;
  const [examples = 0, a = 0, b = 0, c = 0] = shape;
  if (shape.length !== 4 || examples === 0 || /string|bool|complex/.test(dtype)) return undefined;
  const last = imageSize(a, b, c);
  if (last) return { examples, ...last, value, strides: [b * c, c, 1] };
  const first = imageSize(b, c, a);
  return first && { examples, ...first, value, strides: [c, 1, b * c] };
}

function imageSize(height: number, width: number, channels: number) {
  if (Math.min(height, width) < SMALLEST || (channels !== 1 && channels !== 3)) return undefined;
  return { height, width, channels } as const;
}

/** The range of images: 0 to 1, -1 to 1 or 0 to 255 where the values are like that, else from the smallest to the largest. */
export function tonalRangeOf({ value: { data, dtype } }: Images): TonalRange {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const element of data as ArrayLike<number | bigint> & Iterable<number | bigint>) {
    const number = Number(element);
    if (!Number.isFinite(number)) continue;
    if (number < min) min = number;
    if (number > max) max = number;
  }
  if (dtype === 'uint8' || (min >= 0 && max > 64 && max <= 255)) return { black: 0, white: 255 };
  if (min >= 0 && max <= 1) return { black: 0, white: 1 };
  if (min >= -1 && max <= 1) return { black: -1, white: 1 };
  return min < max ? { black: min, white: max } : { black: 0, white: 1 };
}

/** One image of a batch, in the given range; large ones are reduced by averaging squares of pixels. */
export function rasterOf(images: Images, example: number, { black, white }: TonalRange): Raster {
  const { channels, value, strides } = images;
  const data = value.data as ArrayLike<number | bigint>;
  const step = Math.ceil(Math.max(images.width, images.height) / LARGEST);
  const [width, height] = [Math.ceil(images.width / step), Math.ceil(images.height / step)];
  const start = example * images.width * images.height * channels;
  const pixels = new Uint8Array(width * height * channels);
  for (let i = 0; i < pixels.length; i++) {
    const channel = i % channels;
    const left = (Math.floor(i / channels) % width) * step;
    const top = Math.floor(i / channels / width) * step;
    const [right, bottom] = [Math.min(left + step, images.width), Math.min(top + step, images.height)];
    let sum = 0;
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) {
        sum += Number(data[start + y * strides[0] + x * strides[1] + channel * strides[2]]);
      }
    }
    const mean = sum / ((right - left) * (bottom - top));
    // NaN becomes 0 in a Uint8Array.
    pixels[i] = Math.round(255 * Math.min(1, Math.max(0, (mean - black) / (white - black))));
  }
  return { width, height, channels, pixels };
}
