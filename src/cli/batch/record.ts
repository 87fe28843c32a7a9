import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { type FileHash, hashFile, locatedFiles } from '../../load.js';
import { encodedText } from '../../writers/encoded.js';
import { writeFile } from '../../writers/file.js';
import type { WrittenReport } from './batch_report.js';

/** A result that was written, and from what. */
export interface Recorded {
  /** The hash of the arguments and the version of bnfix. */
  readonly made: string;
  readonly read: readonly FileHash[];
  readonly written: readonly FileHash[];
}

/** The results of a config by their outputs. */
export type Records = Readonly<Record<string, Recorded>>;

/** The file beside a config that says what was written. */
export function recordPath(config: string): string {
  return config.replace(/(\.json)?$/, '.state.json');
}

/** The records of the last run. Without a readable file, everything is made once more. */
export function readRecords(path: string): Records {
  try {
    const { results } = JSON.parse(readFileSync(path, 'utf8')) as { readonly results?: Records };
    const entries = Object.entries(results ?? {}).filter(([, one]) => isRecorded(one));
    return Object.fromEntries(entries);
  } catch {
    return {};
  }
}

/** @throws BnfixError `unwritable` when the file cannot be written */
export async function writeRecords(path: string, results: Records): Promise<void> {
  await writeFile(path, encodedText(`${JSON.stringify({ results }, null, 2)}\n`), { force: true });
}

/** The record of a result that was written. @param made - from {@link madeBy} */
export function recordedOf({ read, written }: WrittenReport, made: string): Recorded {
  const files = written?.files ?? (written ? [written] : []);
  return { made, read: read.map(fileHash), written: files.map(fileHash) };
}

function fileHash({ path, bytes, sha256 }: FileHash): FileHash {
  return { path, bytes, sha256 };
}

/** What makes a result, as a hash: its arguments and the version of bnfix. */
export function madeBy(version: string, argv: readonly string[]): string {
  return createHash('sha256')
    .update(JSON.stringify([version, argv]))
    .digest('hex');
}

/** Whether the model consists of the same files, with the same contents, and the result is still there as it was written. */
export async function isUnchanged(
  { read, written }: Recorded,
  model: string,
  checkpoint: string | undefined,
): Promise<boolean> {
  return hasSameFiles(read, model, checkpoint) && (await areSame(read)) && (await areSame(written));
}

/** Whether nobody else wrote the files: those that are still there have the contents that are recorded. */
export async function areOwn(files: readonly FileHash[]): Promise<boolean> {
  const left = files.filter(({ path }) => statSync(path, { throwIfNoEntry: false }) !== undefined);
  return left.length > 0 && (await areSame(left));
}

/** Whether files still have the contents that are recorded. */
export async function areSame(files: readonly FileHash[]): Promise<boolean> {
  if (files.length === 0 || !files.every(hasSize)) return false;
  for (const { path, sha256 } of files) {
    if ((await hashOf(path)) !== sha256) return false;
  }
  return true;
}

/** A file that is new may be used in place of another one: a later checkpoint. */
function hasSameFiles(read: readonly FileHash[], model: string, checkpoint: string | undefined): boolean {
  const known = new Set(read.map(({ path }) => path));
  try {
    return locatedFiles(model, checkpoint === undefined ? {} : { checkpoint }).every((path) => known.has(path));
  } catch {
    return false;
  }
}

function hasSize({ path, bytes }: FileHash): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats?.isFile() === true && stats.size === bytes;
}

/** The hash of a file; undefined if it cannot be read. */
async function hashOf(path: string): Promise<string | undefined> {
  try {
    return (await hashFile(path)).sha256;
  } catch {
    return undefined;
  }
}

function isRecorded(value: unknown): value is Recorded {
  const { made, read, written } = (value ?? {}) as Partial<Recorded>;
  return typeof made === 'string' && [read, written].every((files) => Array.isArray(files) && files.every(isFileHash));
}

function isFileHash(value: unknown): value is FileHash {
  const { path, bytes, sha256 } = (value ?? {}) as Partial<FileHash>;
  return typeof path === 'string' && typeof bytes === 'number' && typeof sha256 === 'string';
}
