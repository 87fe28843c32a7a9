import { resolve } from 'node:path';
import { BnfixError } from '../errors.js';
import { analyse } from '../freezing/analyse.js';
import type { Analysis } from '../freezing/analysis.js';
import type { FreezeOptions } from '../freezing/options.js';
import type { FileHash } from '../load.js';
import type { LoadedModel } from '../load_sources.js';
import type { CommandData, PageData, RefusalData } from '../page/page_data.js';
import { type PageSubject, pageDataOf } from '../page/page_data_of.js';
import { shellQuoted } from '../quoted.js';
import { encodedText } from '../writers/encoded.js';
import { writeFile } from '../writers/file.js';
import { checkTarget } from '../writers/target.js';
import { aboutOption } from './about_option.js';
import type { Args } from './args.js';
import { flagText } from './flags.js';
import { version } from './version.js';

/** A page that was written. */
export interface WrittenPage {
  readonly path: string;
  readonly bytes: number;
}

/** What a page is about. */
export interface PageRequest extends Pick<PageSubject, 'result' | 'verification'> {
  readonly command: CommandData['name'];
  readonly args: Args;
  readonly model: LoadedModel;
  readonly options: FreezeOptions;
  /** The analysis, if there is one. */
  readonly analysis?: Analysis;
  /** The files that were read. */
  readonly read: readonly FileHash[];
  readonly refusal?: BnfixError;
}

/**
 * The file for the page that a command line requests; undefined if it requests none.
 * @param output - the file of the result
 * @throws BnfixError `usage` for stdout and for the file of the result, `unwritable` when it cannot be written
 */
export async function pageTarget(args: Args, output?: string): Promise<string | undefined> {
  const path = args.string('html');
  if (path === undefined) return undefined;
  if (path === '-') {
    throw new BnfixError('usage', 'a page cannot be written to stdout', { option: 'html', fix: 'name a file' });
  }
  if (output !== undefined && resolve(output) === resolve(path)) {
    throw new BnfixError('usage', `the page and the result have the same name: ${path}`, {
      option: 'html',
      fix: 'name two files',
    });
  }
  await checkPage(path, args);
  return path;
}

/**
 * Checks that a page may be written.
 * @param inputs - files of the model, which are not overwritten
 * @throws BnfixError `unwritable` when it cannot be written
 */
export async function checkPage(path: string, args: Args, inputs: readonly string[] = []): Promise<void> {
  await aboutOption('html', checkTarget(path, { force: args.flag('force'), inputs }));
}

/**
 * Writes a page.
 * @param results - the files of the result, which are not overwritten
 * @throws BnfixError `unwritable` when it cannot be written
 */
export async function writePage(
  path: string,
  request: PageRequest,
  results: readonly string[] = [],
): Promise<WrittenPage> {
  const { pageOf } = await import('../page/page.js');
  const { args, model, read } = request;
  const encoded = encodedText(pageOf(pageData(request), flagText));
  const inputs = [...model.files, ...read.map((file) => file.path), ...results];
  const { bytes } = await aboutOption('html', writeFile(path, encoded, { force: args.flag('force'), inputs }));
  return { path, bytes };
}

function pageData({
  command,
  args,
  model,
  options,
  analysis,
  read,
  result,
  verification,
  refusal,
}: PageRequest): PageData {
  return pageDataOf(analysis ?? analyse(model, options), {
    command: {
      name: command,
      line: ['bnfix', ...args.given].map(shellQuoted).join(' '),
      versions: [`bnfix ${version()}`, `Node.js ${process.versions.node}`],
      read,
    },
    result,
    verification,
    refusal: refusal && refusalData(refusal),
  });
}

function refusalData({ message, where, whyLines, wholeWhy, fixes }: BnfixError): RefusalData {
  return {
    headline: message,
    where,
    why: wholeWhy ?? whyLines,
    fixes: fixes.map(({ option, value, text }) => ({ code: option && flagText(option, value), text })),
  };
}
