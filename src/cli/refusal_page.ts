import { BnfixError } from '../errors.js';
import type { FileHashes } from '../load.js';
import { printable } from '../printable.js';
import { type PageRequest, writePage } from './page_file.js';
import type { Terminal } from './terminal.js';

/** Writes the page of a model that was refused: it shows what was found. */
export async function writeRefusalPage(
  page: string,
  subject: Pick<PageRequest, 'command' | 'args' | 'model' | 'options'>,
  error: unknown,
  hashes: FileHashes | undefined,
  terminal: Terminal,
): Promise<void> {
  // Other errors are about options and files.
  if (!(error instanceof BnfixError) || error.data?.problems === undefined) return;
  const read = (await hashes?.all()) ?? [];
  try {
    await writePage(page, { ...subject, read, refusal: error });
    terminal.err(`bnfix: ${printable(page)} shows what was found`);
  } catch (unwritten) {
    // The refusal is what the command failed for.
    terminal.err(`bnfix: ${printable((unwritten as Error).message)}`);
  }
}
