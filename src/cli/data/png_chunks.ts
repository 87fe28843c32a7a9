import { Unzlib } from 'fflate';

/** A chunk of a PNG file: its length, its type, its data and a checksum. */
const FRAME_BYTES = 12;
const SIGNATURE_BYTES = 8;

/** What pixels are made of. Others (profiles, texts, animations) may be compressed as well, and are not read. */
const NEEDED: ReadonlySet<string> = new Set(['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND']);

/** Numbers of a pixel, by the color type of the header: grey, RGB, palette, grey and alpha, RGB and alpha. */
const SAMPLES: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** The seven pictures of an interlaced one (Adam7): first column and row, distance of columns and of rows. */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** Compressed bytes that are inflated at once: they become at most 16 MB. */
const STEP = 16 * 1024;

const latin1 = new TextDecoder('latin1');

/**
 * The chunks of a PNG file that its pixels need, after a check that they inflate to exactly the bytes that the header
 * asks for: neither a cut picture nor one that would fill the memory.
 * @throws Error with the reason
 */
export function pixelChunks(png: Uint8Array): Uint8Array[] {
  const chunks = chunksOf(png).filter(({ type }) => NEEDED.has(type));
  const wanted = inflatedBytes(png);
  const data = chunks.filter(({ type }) => type === 'IDAT').map(({ bytes }) => bytes.subarray(8, -4));
  const found = inflatedUpTo(wanted, data);
  if (found > wanted) throw new Error(`its pixels are more than the ${wanted} bytes of its size`);
  if (found < wanted) throw new Error(`its pixels are ${found} bytes, but its size needs ${wanted}`);
  return [png.subarray(0, SIGNATURE_BYTES), ...chunks.map(({ bytes }) => bytes)];
}

function chunksOf(png: Uint8Array): { readonly type: string; readonly bytes: Uint8Array }[] {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const chunks: { type: string; bytes: Uint8Array }[] = [];
  for (let at = SIGNATURE_BYTES; at < png.length; ) {
    const end = at + FRAME_BYTES + (at + FRAME_BYTES <= png.length ? view.getUint32(at) : 0);
    if (end > png.length) throw new Error('it is truncated');
    const type = latin1.decode(png.subarray(at + 4, at + 8));
    chunks.push({ type, bytes: png.subarray(at, end) });
    // Some programs write their own data behind the end.
    if (type === 'IEND') break;
    at = end;
  }
  return chunks;
}

/** Bytes of all rows, each with the number of its filter. */
function inflatedBytes(png: Uint8Array): number {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const [width, height, depth, samples] = [view.getUint32(16), view.getUint32(20), png[24]!, SAMPLES[png[25]!]];
  if (samples === undefined) throw new Error(`it has the unknown color type ${png[25]}`);
  const rows = (columns: number, count: number) =>
    columns === 0 ? 0 : count * (1 + Math.ceil((columns * depth * samples) / 8));
  if (png[28] === 0) return rows(width, height);
  const steps = (size: number, first: number, step: number) => Math.max(0, Math.ceil((size - first) / step));
  return PASSES.reduce((sum, [x, y, dx, dy]) => sum + rows(steps(width, x, dx), steps(height, y, dy)), 0);
}

/** How many bytes a zlib stream contains, or a number above `limit`: it is not inflated further. */
function inflatedUpTo(limit: number, parts: readonly Uint8Array[]): number {
  let size = 0;
  const inflate = new Unzlib((chunk) => {
    size += chunk.length;
  });
  const last = parts.length - 1;
  for (const [i, part] of parts.entries()) {
    for (let at = 0; size <= limit && (at === 0 || at < part.length); at += STEP) {
      inflate.push(part.slice(at, at + STEP), i === last && at + STEP >= part.length);
    }
  }
  return size;
}
