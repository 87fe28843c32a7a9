import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import picomatch from 'picomatch';
import { type ModelFile, modelAt, type SearchResult, searchModels } from '../../checkable.js';
import { BnfixError } from '../../errors.js';

/** A model to check, or a path that cannot be checked. */
export type Target =
  | { readonly code: 'model'; readonly model: ModelFile }
  | { readonly code: 'failed'; readonly path: string; readonly error: BnfixError };

/** The models of a command line. */
export interface Collected {
  /** Each model once, in the order in which it was found. */
  readonly targets: readonly Target[];
  /** Files with the name of a model that are something else. */
  readonly skipped: readonly string[];
}

/** Finds the models that paths name: files of a model, folders (which are searched) and globs. Opens files only to see what they are. */
export function collectModels(paths: readonly string[]): Collected {
  const targets = new Map<string, Target>();
  const skipped = new Set<string>();
  for (const path of paths) {
    for (const result of resultsOf(path)) {
      if (result.code === 'skipped') skipped.add(result.path);
      else {
        const key = resolve(result.code === 'model' ? result.model.file : result.path);
        if (!targets.has(key)) targets.set(key, result);
      }
    }
  }
  return { targets: [...targets.values()], skipped: [...skipped] };
}

function* resultsOf(path: string): Iterable<SearchResult> {
  if (existsSync(path)) {
    if (!statSync(path).isDirectory()) yield named(path);
    else yield* inFolder(path);
  } else if (picomatch.scan(path).isGlob) yield* ofGlob(path);
  else yield named(path);
}

function named(path: string): SearchResult {
  try {
    return { code: 'model', model: modelAt(path) };
  } catch (error) {
    if (!(error instanceof BnfixError)) throw error;
    return { code: 'failed', path, error };
  }
}

function* inFolder(path: string): Iterable<SearchResult> {
  const folder = path.length > 1 ? path.replace(/[/\\]+$/, '') : path;
  let isEmpty = true;
  for (const result of searchModels(folder)) {
    yield result;
    if (result.code !== 'skipped') isEmpty = false;
  }
  // It says what the folder has instead.
  if (isEmpty) yield named(path);
}

/** Like a shell: files that match, and the models in folders that match. */
function* ofGlob(pattern: string): Iterable<SearchResult> {
  const { base, glob } = picomatch.scan(pattern);
  const isMatch = picomatch(glob.replace(/\/+$/, ''));
  const isOfFolders = glob.endsWith('/');
  const folder = base === '' ? '.' : base;
  const matches = (path: string) => {
    const below = base === '' ? path : path.slice(base.endsWith('/') ? base.length : base.length + 1);
    const parts = below.split('/');
    const ends = isOfFolders ? parts.slice(0, -1) : parts;
    return ends.some((_, i) => isMatch(parts.slice(0, i + 1).join('/')));
  };
  let isEmpty = true;
  if (existsSync(folder)) {
    for (const result of searchModels(folder)) {
      const path = result.code === 'model' ? result.model.file : result.path;
      if (!matches(path) && !(result.code === 'model' && matches(prefixOf(path)))) continue;
      yield result;
      if (result.code !== 'skipped') isEmpty = false;
    }
  }
  if (!isEmpty) return;
  const error = new BnfixError('unreadable', `no model matches ${pattern}`, {
    where: pattern,
    fix: `name a folder: bnfix check ${folder}`,
  });
  yield { code: 'failed', path: pattern, error };
}

/** The prefix of a checkpoint, which a shell completes to all of its files. */
function prefixOf(path: string): string {
  return path.replace(/\.meta$/, '.index');
}
