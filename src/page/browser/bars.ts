import type { Bins } from '../script_data.js';

/** The bars of a histogram. */
export interface Bars {
  /** Where the first bar begins, and how wide each is, in units of the values. */
  readonly start: number;
  readonly width: number;
  readonly counts: readonly number[];
}

/** How many bars there is room for. */
const ROOM = 31;
/** Values that differ by less than this, relatively, look the same on an axis. */
const SAME = 1e-5;

/** The bars to draw: of equal values a thin one with room around it. Undefined for values too far apart to draw. */
export function barsOf({ from, to, counts }: Bins): Bars | undefined {
  const size = Math.max(Math.abs(from), Math.abs(to));
  if (!Number.isFinite(to - from)) return undefined;
  if (to - from > SAME * size) return { start: from, width: (to - from) / counts.length, counts };
  const width = (size || 1) / ROOM;
  const middle = Math.floor(ROOM / 2);
  const all = counts.reduce((sum, count) => sum + count, 0);
  const around = Array.from({ length: ROOM }, (_, i) => (i === middle ? all : 0));
  return { start: from - (middle + 0.5) * width, width, counts: around };
}
