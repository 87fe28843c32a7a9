import { encode } from 'fast-png';
import { ADVANCE, dots, LINE } from './letters.mjs';
import { HEIGHT, WIDTH } from './scenes.mjs';

/** How many pixels of the sheet a pixel of a picture, and one of a letter, has in each direction. */
const [ZOOM, TEXT] = [3, 2];
const GAP = 16;
const GUTTER = 2 * GAP + WIDTH;
const [WHITE, INK, EDGE] = [
  [255, 255, 255],
  [30, 30, 30],
  [170, 170, 170],
];

/**
 * Pictures in rows and columns with labels, as a PNG file.
 * @param columns - a label above each column
 * @param rows - each with lines of text at its left, a small picture below them or none, and a picture for each column
 */
export function sheet(columns, rows) {
  const canvas = blank(
    GUTTER + columns.length * (WIDTH * ZOOM + GAP),
    2 * GAP + LINE * TEXT + rows.length * (HEIGHT * ZOOM + GAP),
  );
  const left = (column) => GUTTER + column * (WIDTH * ZOOM + GAP);
  const top = (row) => 2 * GAP + LINE * TEXT + row * (HEIGHT * ZOOM + GAP);
  columns.forEach((label, i) => {
    write(canvas, label, left(i) + (WIDTH * ZOOM - label.length * ADVANCE * TEXT) / 2, GAP);
  });
  rows.forEach(({ lines, small, pictures }, i) => {
    lines.forEach((line, j) => {
      write(canvas, line, GAP, top(i) + 4 * j * (LINE - 2));
    });
    if (small) draw(canvas, small, GAP, top(i) + 4 * lines.length * (LINE - 2), 1);
    pictures.forEach((picture, j) => {
      draw(canvas, picture, left(j), top(i), ZOOM);
    });
  });
  return encode(canvas, { zlib: { level: 9 } });
}

function blank(width, height) {
  return { width, height, channels: 3, data: new Uint8Array(width * height * 3).fill(255) };
}

function write(canvas, text, left, top) {
  for (const [x, y] of dots(text)) fill(canvas, left + x * TEXT, top + y * TEXT, TEXT, TEXT, INK);
}

/** Draws a picture of numbers from 0 to 1, with an edge, since some are white like the sheet. */
function draw(canvas, pixels, left, top, zoom) {
  fill(canvas, left - 1, top - 1, WIDTH * zoom + 2, HEIGHT * zoom + 2, EDGE);
  for (let i = 0; i < WIDTH * HEIGHT; i++) {
    const colour = [...pixels.subarray(3 * i, 3 * i + 3)].map((value) => Math.round(255 * value));
    fill(canvas, left + (i % WIDTH) * zoom, top + Math.floor(i / WIDTH) * zoom, zoom, zoom, colour);
  }
}

function fill({ width, data }, left, top, columns, rows, colour = WHITE) {
  for (let y = top; y < top + rows; y++) {
    for (let x = left; x < left + columns; x++) data.set(colour, 3 * (y * width + x));
  }
}
