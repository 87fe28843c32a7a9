import { readFileSync } from 'node:fs';
import { BnfixError } from '../errors.js';
import type { CheckpointFiles } from '../readers/checkpoint/reader.js';
import { explainWrongKind, graphKindOf } from '../readers/sniff.js';
import { statePrefixes } from './checkpoint_state.js';
import { filesIn, folderOf, inFolder, isFile, isFolder, nameOf, notFound, sniffFile } from './files.js';

const SUFFIX = /(\.meta|\.index|\.data-\d{5}-of-\d{5}|-\d{5}-of-\d{5}|\.pb|\.pbtxt)$/;

/** The prefix of which a path may be a file: without .meta, .index, .data-00000-of-00001 or the shard of a V1 checkpoint. */
function prefixOf(path: string): string {
  return path.replace(SUFFIX, '') || './';
}

/** The checkpoint of exactly this prefix, if there is one. */
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
  // A V1 checkpoint has no name of its own: its contents tell it.
  const found = indices.length > 0 ? indices : names.filter((name) => !/\.(meta|pb|pbtxt)$/.test(name) && isV1(name));
  return [...new Set(found.map((name) => inFolder(folder, name.replace(SUFFIX, ''))))];

  function isV1(name: string): boolean {
    return sniffFile(inFolder(folder, name)) === 'checkpoint_v1';
  }
}

/**
 * The checkpoint of a folder: of a SavedModel its variables, else what the state file names, else the only one there.
 * @returns undefined where there is none
 * @throws BnfixError `usage` where there are several and no state file that says which
 */
export function checkpointIn(folder: string): CheckpointFiles | undefined {
  const variables = checkpointAt(inFolder(folder, 'variables/variables'));
  if (variables) return variables;
  const state = inFolder(folder, 'checkpoint');
  const named = isFile(state) && sniffFile(state) === 'checkpoint_state' ? checkpointOfState(state) : undefined;
  if (named) return named;
  const prefixes = prefixesIn(folder);
  if (prefixes.length === 1) return checkpointAt(prefixes[0]!);
  if (prefixes.length === 0) return undefined;
  throw new BnfixError('usage', `there are ${prefixes.length} checkpoints in ${folder}`, {
    where: folder,
    why: isFile(state) ? `${state} names none of them` : 'no state file says which is meant',
    fix: `name one: ${prefixes.join(', ')}`,
  });
}

/** The checkpoint that a state file calls the latest, if it is there. */
function checkpointOfState(state: string): CheckpointFiles | undefined {
  const folder = folderOf(state);
  for (const prefix of statePrefixes(readFileSync(state, 'utf8'))) {
    const found = checkpointAt(inFolder(folder, prefix));
    if (found) return found;
  }
  return undefined;
}

/**
 * The checkpoint for the name of any of its files, its prefix, its folder or the state file in it, a SavedModel, or
 * a .meta file that was saved with it.
 * @throws BnfixError `unreadable` when there is none, or when the file is of another kind; `usage` when it may be several
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
    why: 'no file in it is the index of a V2 checkpoint or a V1 checkpoint',
    fix: `name the folder that has it; the files there are: ${filesIn(named).slice(0, 10).join(', ') || 'none'}`,
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
      why: 'it says which tensors are where in the data file',
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
        why: `${statePrefixes(readFileSync(path, 'utf8'))[0] ?? 'nothing'} is not in ${folder}, nor is any other`,
        fix: 'copy its .index and .data files there, or name the checkpoint itself',
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
 * The checkpoint next to a graph. Of the same prefix; else, for a .meta, the only one of the folder that has no
 * .meta of its own: which values were meant must not be guessed. Else what the folder says.
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
  const named = isFile(state) ? checkpointOfState(state) : undefined;
  return named ?? (prefixes.length === 1 ? checkpointAt(prefixes[0]!) : undefined);
}
