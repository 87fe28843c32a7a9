import { byteText, countText } from '../freezing/text.js';
import { printable } from '../printable.js';
import type { Output } from './terminal.js';

const DELAY_MS = 500;
const INTERVAL_MS = 100;
const WIDTH = 24;
const CLEAR_LINE = '\r\x1b[2K';

/** A line that shows the progress of some work. */
export interface Progress {
  /** @param done - bytes, or items */
  update(done: number): void;
  /** Removes the line. */
  end(): void;
}

/** A progress bar; shown only on a terminal, and only after half a second. */
export function progressBar(stream: Output, label: string, total: number): Progress {
  return progressLine(stream, (bytes) => barText(printable(label), bytes, total, byteText(bytes)));
}

/** The same for items: `checking  [#####.....]  50 %  6 of 12`. */
export function itemProgress(stream: Output, label: string, total: number): Progress {
  return progressLine(stream, (done) => barText(label, done, total, `${countText(done)} of ${countText(total)}`));
}

function progressLine(stream: Output, text: (done: number) => string): Progress {
  if (!stream.isTTY) return { update() {}, end() {} };
  let next = performance.now() + DELAY_MS;
  let shown = false;
  return {
    update(done) {
      const now = performance.now();
      if (now < next) return;
      next = now + INTERVAL_MS;
      shown = true;
      stream.write(`${CLEAR_LINE}${text(done)}`);
    },
    end() {
      if (shown) stream.write(CLEAR_LINE);
      shown = false;
    },
  };
}

/** `writing out.pb  [#####.....]  50 %  1.0 MB`; escaping may make text larger than expected. */
function barText(label: string, done: number, total: number, amount: string): string {
  const part = total > 0 ? Math.min(1, done / total) : 1;
  const full = Math.round(part * WIDTH);
  const bar = '#'.repeat(full) + '.'.repeat(WIDTH - full);
  return `${label}  [${bar}] ${String(Math.floor(part * 100)).padStart(3)} %  ${amount}`;
}
