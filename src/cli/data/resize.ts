import { numbersOf, type TensorValue, tensorValue } from '../../run/value.js';

/** A batch of pictures [batch, height, width, channels] in another size: bilinear, with the corners of pixels aligned. */
export function resized(images: TensorValue, height: number, width: number): TensorValue {
  const [batch, h, w, channels] = images.shape as [number, number, number, number];
  if (h === height && w === width) return images;
  const from = numbersOf(images);
  const out = new Float64Array(batch * height * width * channels);
  const [rows, columns] = [places(height, h), places(width, w)];
  let at = 0;
  for (let b = 0; b < batch; b++) {
    for (const [top, bottom, dy] of rows) {
      for (const [left, right, dx] of columns) {
        for (let c = 0; c < channels; c++) {
          const pixel = (y: number, x: number) => from[((b * h + y) * w + x) * channels + c]!;
          const upper = pixel(top, left) * (1 - dx) + pixel(top, right) * dx;
          const lower = pixel(bottom, left) * (1 - dx) + pixel(bottom, right) * dx;
          out[at++] = upper * (1 - dy) + lower * dy;
        }
      }
    }
  }
  return tensorValue(images.dtype, [batch, height, width, channels], out);
}

/** For each new pixel, the two old ones around its centre, and how far it is from the first. */
function places(size: number, old: number): [first: number, second: number, part: number][] {
  return Array.from({ length: size }, (_, i) => {
    const at = Math.min(Math.max(((i + 0.5) * old) / size - 0.5, 0), old - 1);
    const first = Math.floor(at);
    return [first, Math.min(first + 1, old - 1), at - first];
  });
}
