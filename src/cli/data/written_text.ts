import { byteText } from '../../freezing/text.js';
import type { WrittenFile } from '../../writers/encoded.js';
import { unbroken, wrapped } from '../layout.js';
import type { ReportStyle } from '../report_style.js';

/** The files that were written, as `--json` has them. */
export function writtenData(files: readonly WrittenFile[]): Pick<WrittenFile, 'path' | 'bytes'>[] {
  return files.map(({ path, bytes }) => ({ path, bytes }));
}

/** The files that were written: `Wrote results/outputs.npz (1.2 kB)`. */
export function writtenText(
  files: readonly Pick<WrittenFile, 'path' | 'bytes'>[],
  { width, colors }: ReportStyle,
): string[] {
  const names = files.map(({ path, bytes }) => unbroken(`${path} (${byteText(bytes)})`));
  return wrapped(`${colors.bold('Wrote')} ${names.join(', ')}`, width);
}
