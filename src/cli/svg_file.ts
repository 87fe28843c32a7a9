import { basename } from 'node:path';
import type { Inspection } from '../diagnosis/inspection.js';
import { inspectionVerdictText } from '../diagnosis/inspection_text.js';
import { drawingOf } from '../drawing/draw.js';
import { BnfixError } from '../errors.js';
import type { Analysis } from '../freezing/analysis.js';
import { printable, printableData } from '../printable.js';
import { encodedText } from '../writers/encoded.js';
import { writeFile } from '../writers/file.js';
import { writeStreamBytes } from '../writers/stream_bytes.js';
import { checkTarget } from '../writers/target.js';
import { aboutOption } from './about_option.js';
import type { Args } from './args.js';
import type { Terminal } from './terminal.js';

/**
 * The file for the drawing that a command line requests; undefined if it requests none.
 * @throws BnfixError `usage` when stdout has other text, `unwritable` when the file cannot be written
 */
export async function svgTarget(args: Args): Promise<string | undefined> {
  const path = args.string('svg');
  if (path === '-' && args.flag('json')) {
    throw new BnfixError('usage', 'the drawing and the JSON cannot both be on stdout', {
      option: 'svg',
      fix: 'name a file',
    });
  }
  if (path !== undefined && path !== '-') await aboutOption('svg', checkTarget(path, { force: args.flag('force') }));
  return path;
}

/**
 * Draws a model.
 * @param path - `-` is stdout
 * @param inputs - files of the model, which are not overwritten
 * @returns the size of the file in bytes
 */
export async function writeSvg(
  path: string,
  analysis: Analysis,
  inspection: Inspection,
  { args, terminal, inputs }: { readonly args: Args; readonly terminal: Terminal; readonly inputs: readonly string[] },
): Promise<number> {
  const { drawSvg } = await import('../drawing/svg.js');
  const svg = await drawSvg(drawingOf(analysis, inspection), {
    title: printable(basename(inspection.model.name)),
    text: inspectionVerdictText(printableData(inspection)),
  });
  const encoded = encodedText(svg);
  if (path === '-') await writeStreamBytes(terminal.stdout, Buffer.from(svg));
  else await aboutOption('svg', writeFile(path, encoded, { force: args.flag('force'), inputs }));
  return encoded.byteLength;
}
