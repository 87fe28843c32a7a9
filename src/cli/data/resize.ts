/** A picture whose pixels are computed when they are asked for: as numbers they take more memory than as bytes of a file. */
export interface Picture {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly at: (row: number, column: number, channel: number) => number;
}

/** The pixels [height, width, channels] of a picture in another size: bilinear, with the corners of pixels aligned. */
export function resized(picture: Picture, height: number, width: number): Float32Array {
  const { channels, at: pixel } = picture;
  const out = new Float32Array(height * width * channels);
  const isSame = height === picture.height && width === picture.width;
  const [rows, columns] = [places(height, picture.height), places(width, picture.width)];
  let at = 0;
  for (let y = 0; y < height; y++) {
    const [top, bottom, dy] = rows(y);
    for (let x = 0; x < width; x++) {
      const [left, right, dx] = columns(x);
      for (let c = 0; c < channels; c++) {
        if (isSame) {
          out[at++] = pixel(y, x, c);
          continue;
        }
        const upper = pixel(top, left, c) * (1 - dx) + pixel(top, right, c) * dx;
        const lower = pixel(bottom, left, c) * (1 - dx) + pixel(bottom, right, c) * dx;
        out[at++] = upper * (1 - dy) + lower * dy;
      }
    }
  }
  return out;
}

/** For a new row or column, the two old ones around its centre, and how far it is from the first. */
function places(size: number, old: number): (i: number) => readonly [first: number, second: number, part: number] {
  return (i) => {
    const at = Math.min(Math.max(((i + 0.5) * old) / size - 0.5, 0), old - 1);
    const first = Math.floor(at);
    return [first, Math.min(first + 1, old - 1), at - first];
  };
}
