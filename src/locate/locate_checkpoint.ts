import { isAbsolute, join, relative, sep } from 'node:path';
import { BnfixError } from '../errors.js';
import type { CheckpointFiles } from '../readers/checkpoint/reader.js';
import { explainWrongKind, type FileKind, graphKindOf } from '../readers/sniff.js';
import { readState, statePrefixes } from './checkpoint_state.js';
import { filesIn, folderOf, inFolder, isFile, isFolder, nameOf, realPath, sniffFile } from './files.js';
import { notFound } from './not_found.js';

const SUFFIX = /(\.meta|\.index|\.data-\d{5}-of-\d{5}|-\d{5}-of-\d{5}|\.pb|\.pbtxt)$/;

/** What follows the prefix of a checkpoint in the names of its files. */
const OWN_SUFFIX = /^(|\.meta|\.index|\.data-\d{5}-of-\d{5}|-\d{5}-of-\d{5})$/;

/** What the index of a checkpoint may be. */
const CHECKPOINTS: ReadonlySet<FileKind> = new Set(['checkpoint_index', 'checkpoint_v1']);

/** Temporary files of bnfix. */
const OWN_TEMPORARY = /^\.bnfix-.*\.tmp$/;

/** The checkpoint prefix of a path: without .meta, .index, .data-00000-of-00001 or the shard of a V1 checkpoint. */
function prefixOf(path: string): string {
  return path.replace(SUFFIX, '') || './';
}

/** The checkpoint of exactly this prefix; undefined if none exists. */
export function checkpointAt(prefix: string): CheckpointFiles | undefined {
  const index = `${prefix}.index`;
  if (isFile(index)) return { format: 'V2', prefix, index };
  const isShard = /-\d{5}-of-\d{5}$/.test(prefix);
  if (!isShard && isFile(prefix) && sniffFile(prefix) === 'checkpoint_v1')
    return { format: 'V1', prefix, index: prefix };
  const start = `${nameOf(prefix)}-00000-of-`;
  const shard = filesIn(folderOf(prefix)).find(
    (name) => name.startsWith(start) && /^\d{5}$/.test(name.slice(start.length)),
  );
  return shard === undefined ? undefined : { format: 'V1', prefix, index: inFolder(folderOf(prefix), shard) };
}

/** The prefixes of the checkpoints in a folder. */
function prefixesIn(folder: string): string[] {
  const names = filesIn(folder);
  const indices = names.filter((name) => name.endsWith('.index'));
  // A V1 checkpoint has no extension: it is detected from content.
  const found = indices.length > 0 ? indices : names.filter((name) => !/\.(meta|pb|pbtxt)$/.test(name) && isV1(name));
  return [...new Set(found.map((name) => inFolder(folder, name.replace(SUFFIX, ''))))];

  function isV1(name: string): boolean {
    // What another run is writing here may be gone by now.
    return !OWN_TEMPORARY.test(name) && sniffFile(inFolder(folder, name)) === 'checkpoint_v1';
  }
}

/**
 * The checkpoint of a folder: the variables of a SavedModel, else the one that the state file names, else the only one.
 * @returns undefined if the folder has none
 * @throws BnfixError `usage` when it has several and the state file names none of them
 */
export function checkpointIn(folder: string): CheckpointFiles | undefined {
  const variables = checkpointAt(inFolder(folder, 'variables/variables'));
  if (variables) return variables;
  const state = inFolder(folder, 'checkpoint');
  const named = isState(state) ? checkpointOfState(state) : undefined;
  if (named) return named;
  const prefixes = prefixesIn(folder);
  if (prefixes.length === 1) return checkpointAt(prefixes[0]!);
  if (prefixes.length === 0) return undefined;
  throw new BnfixError('usage', `${prefixes.length} checkpoints in ${folder}`, {
    where: folder,
    why: isFile(state) ? `${state} names none of them` : 'the folder has no state file that names one',
    fix: `name one: ${prefixes.join(', ')}`,
  });
}

function isState(path: string): boolean {
  return isFile(path) && sniffFile(path) === 'checkpoint_state';
}

/**
 * The latest checkpoint according to a state file, if it exists.
 * @throws BnfixError `unreadable` when it exists outside of the folder of the state file
 */
function checkpointOfState(state: string): CheckpointFiles | undefined {
  const { found, escaped } = followState(state);
  if (found) return found;
  if (escaped !== undefined) throw leadsOutside(state, escaped);
  return undefined;
}

/**
 * Looks for the checkpoint that a state file names. A state file may come from a stranger together with the model: it
 * chooses among the files of its folder, and leads to no others.
 * @returns `escaped`: the prefix of an existing checkpoint outside of that folder
 */
function followState(state: string): { readonly found?: CheckpointFiles; readonly escaped?: string } {
  const folder = folderOf(state);
  const { inside, outside } = statePrefixes(readState(state));
  const prefixes = inside.map((name) => inFolder(folder, name));
  if (outside !== undefined) {
    const path = isAbsolute(outside) ? outside : join(folder, outside);
    if (exists(path)) prefixes.push(path);
  }
  let escaped: string | undefined;
  for (const prefix of prefixes) {
    const found = staysIn(folder, prefix) ? checkpointAt(prefix) : undefined;
    if (found) return { found: { ...found, state } };
    if (!staysIn(folder, prefix)) escaped ??= prefix;
  }
  return escaped === undefined ? {} : { escaped };
}

/** Whether the files of a prefix, symbolic links followed, are in a folder; also if it has none. Opens no file. */
function staysIn(folder: string, prefix: string): boolean {
  const there = folderOf(prefix);
  if (!isFolder(there)) return true;
  const root = realPath(folder);
  const isInside = (path: string) => {
    const way = relative(root, realPath(path));
    return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
  };
  if (!isInside(there)) return !exists(prefix);
  const stem = nameOf(prefix);
  const files = filesIn(there).filter((name) => name.startsWith(stem) && OWN_SUFFIX.test(name.slice(stem.length)));
  return files.every((name) => isInside(inFolder(there, name)));
}

/** Whether a checkpoint of this prefix seems to exist; opens no file. Network paths are not tried. */
function exists(prefix: string): boolean {
  if (/^[\\/]{2}/.test(prefix)) return false;
  return isFile(`${prefix}.index`) || isFile(prefix) || isFile(`${prefix}-00000-of-00001`);
}

function leadsOutside(state: string, prefix: string): BnfixError {
  return new BnfixError('unreadable', `${state} names a checkpoint outside of its folder`, {
    where: state,
    why: `it leads to ${prefix}; files outside of ${folderOf(state)} are read only if you name them`,
    fix: { option: 'checkpoint', value: prefix, text: 'reads that checkpoint' },
  });
}

/**
 * The checkpoint for the name of any of its files, its prefix, its folder or the state file in it, a SavedModel, or
 * a .meta file that was saved with it.
 * @throws BnfixError `unreadable` when none exists, or when the file has the wrong type; `usage` when it is ambiguous
 */
export function locateCheckpoint(named: string): CheckpointFiles {
  const exact = checkpointAt(named);
  if (exact) return exact;
  if (isFile(named)) return checkpointOfFile(named);
  if (!isFolder(named)) throw notFound(named);
  const found = checkpointIn(named);
  if (found) return found;
  throw new BnfixError('unreadable', `no checkpoint found in ${named}`, {
    where: named,
    why: 'it contains neither the index of a V2 checkpoint nor a V1 checkpoint',
    fix: `name the folder of the checkpoint; this one contains: ${filesIn(named).slice(0, 10).join(', ') || 'no files'}`,
  });
}

/** The checkpoint to which an existing file belongs. */
function checkpointOfFile(path: string): CheckpointFiles {
  const prefix = prefixOf(path);
  const own = prefix === path ? undefined : checkpointAt(prefix);
  if (own) return own;
  if (/\.data-\d{5}-of-\d{5}$/.test(path)) {
    throw new BnfixError('unreadable', `${prefix}.index is missing`, {
      where: path,
      why: 'it lists where each tensor is in the data file',
      fix: 'copy it from where the checkpoint was saved into the same folder',
    });
  }
  const folder = folderOf(path);
  const kind = sniffFile(path);
  switch (kind) {
    case 'checkpoint_index':
      return { format: 'V2', prefix, index: path };
    case 'checkpoint_v1':
      return { format: 'V1', prefix, index: path };
    case 'checkpoint_state': {
      const found = checkpointOfState(path) ?? checkpointIn(folder);
      if (found) return found;
      throw new BnfixError('unreadable', `the checkpoint that ${path} names is missing`, {
        where: path,
        why: `${statePrefixes(readState(path)).inside[0] ?? 'nothing'} is not in ${folder}, and no other checkpoint is`,
        fix: 'copy its .index and .data files there, or name the checkpoint',
      });
    }
    default: {
      const found = graphKindOf(kind) && checkpointBeside(path);
      if (found) return found;
      throw explainWrongKind(kind, path);
    }
  }
}

/**
 * The checkpoint next to a graph: the one with the same prefix; else, for a .meta, the only one in the folder without a
 * .meta of its own (bnfix must not guess which values belong to a graph); else the checkpoint of the folder.
 */
export function checkpointBeside(graph: string): CheckpointFiles | undefined {
  const own = checkpointAt(prefixOf(graph));
  if (own) return own;
  const folder = folderOf(graph);
  if (nameOf(graph).startsWith('saved_model.pb')) return checkpointAt(inFolder(folder, 'variables/variables'));
  const prefixes = prefixesIn(folder);
  if (graph.endsWith('.meta')) {
    return prefixes.length === 1 && !isFile(`${prefixes[0]}.meta`) ? checkpointAt(prefixes[0]!) : undefined;
  }
  const state = inFolder(folder, 'checkpoint');
  // A frozen graph needs no checkpoint: where the state file leads outside, there is just none next to the graph.
  const { found, escaped } = isState(state) ? followState(state) : {};
  if (found || prefixes.length !== 1 || escaped !== undefined) return found;
  // Nothing connects it with the graph, so it may be anything.
  const only = checkpointAt(prefixes[0]!);
  return only && CHECKPOINTS.has(sniffFile(only.index)) ? only : undefined;
}
