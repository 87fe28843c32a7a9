import { printable } from '../printable.js';
import { byteText } from './format.js';
import type { Output } from './terminal.js';

const DELAY_MS = 500;
const INTERVAL_MS = 100;
const WIDTH = 24;
const CLEAR_LINE = '\r\x1b[2K';

/** A line that shows the progress of writing. */
export interface Progress {
  update(bytes: number): void;
  /** Removes the line. */
  end(): void;
}

/** A progress bar; shown only on a terminal, and only after half a second. */
export function progressBar(stream: Output, label: string, total: number): Progress {
  if (!stream.isTTY) return { update() {}, end() {} };
  let next = performance.now() + DELAY_MS;
  let shown = false;
  return {
    update(bytes) {
      const now = performance.now();
      if (now < next) return;
      next = now + INTERVAL_MS;
      shown = true;
      stream.write(`${CLEAR_LINE}${barText(printable(label), bytes, total)}`);
    },
    end() {
      if (shown) stream.write(CLEAR_LINE);
    },
  };
}

/** `writing out.pb  [#####.....]  50 %  1.0 of 2.0 MB`; escaping may make text larger than expected. */
function barText(label: string, bytes: number, total: number): string {
  const part = total > 0 ? Math.min(1, bytes / total) : 1;
  const full = Math.round(part * WIDTH);
  const bar = '#'.repeat(full) + '.'.repeat(WIDTH - full);
  return `${label}  [${bar}] ${String(Math.floor(part * 100)).padStart(3)} %  ${byteText(bytes)}`;
}
