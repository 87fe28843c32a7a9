import { homedir } from 'node:os';
import { basename, dirname, sep } from 'node:path';
import { nearNames } from '../did_you_mean.js';
import { BnfixError, type ErrorDetail } from '../errors.js';
import { graphKindOf } from '../readers/sniff.js';
import { entriesOf, filesIn, folderOf, inFolder, isFile, isFolder, nameOf, refuseDevice, sniffFile } from './files.js';

/** The error for a path that does not exist: what was meant, as far as that shows. */
export function notFound(path: string): BnfixError {
  refuseDevice(path);
  const { message = `${path} not found`, ...detail } = misspelled(path) ?? missing(path);
  return new BnfixError('unreadable', message, { where: path, ...detail });
}

type Detail = ErrorDetail & { readonly message?: string };

/** A path that a shell or another system would have read differently. */
function misspelled(path: string): Detail | undefined {
  if (/^[a-z][\w+.-]+:\/\//i.test(path)) {
    const file = /^file:\/\/(\/.*)$/i.exec(path)?.[1];
    return {
      message: `${path} is a URL`,
      why: 'bnfix reads files',
      fix: file ?? 'download the files of the model first: the .meta, the .index and the .data-...',
      candidates: file === undefined ? [] : [file],
    };
  }
  const trimmed = path.trim().replace(/^(["'])(.*)\1$/, '$2');
  if (trimmed !== path && exists(trimmed)) return meant([trimmed], 'the path has spaces or quotes around it');
  if (path.startsWith('~/'))
    return meant([path.replace('~', homedir())], 'the shell did not expand ~, since it was quoted');
  if (/\$\{?\w/.test(path))
    return { why: 'the shell did not expand the variable: it was in single quotes', fix: 'use double quotes' };
  if (/[*?]|\[.*\]/.test(path)) {
    const found = matches(path);
    const why = 'the shell did not expand the pattern: it was quoted, or nothing matches';
    return found.length > 0 ? meant(found, why) : { ...missing(path), why };
  }
  if (path.includes('\\') && sep === '/') {
    const slashes = path.replaceAll('\\', '/');
    const mounted = slashes.replace(/^([A-Za-z]):\//, (_, drive: string) => `/mnt/${drive.toLowerCase()}/`);
    const found = [...new Set([slashes, mounted])].filter(exists);
    const why = 'this system separates folders by /, not by \\';
    if (found.length > 0) return meant(found, why);
    return { why, fix: mounted === slashes ? slashes : 'name the path of the files on this machine' };
  }
  return undefined;
}

function meant(paths: readonly string[], why: string): Detail {
  return { why, fix: paths.slice(0, SHOWN).join(', '), candidates: paths };
}

/** The models that match a pattern in the last part of a path. */
function matches(path: string): string[] {
  const folder = folderOf(path);
  const expression = nameOf(path)
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  try {
    const pattern = new RegExp(`^${expression}$`);
    return modelsIn(folder).filter((model) => pattern.test(nameOf(model)));
  } catch {
    return [];
  }
}

const SHOWN = 10;

/** Nothing has this name: similar names, else the models in its folder. */
function missing(path: string): Detail {
  const folder = folderOf(path);
  if (!isFolder(folder)) return missingFolder(folder);
  const names = entriesOf(folder).map(({ name }) => name);
  const stems = names.map((name) => name.replace(STORED, ''));
  const near = nearNames(nameOf(path), new Set([...names, ...stems].filter((name) => name !== '')));
  const similar = near.map((name) => inFolder(folder, name));
  if (similar.length > 0) return { fix: `did you mean ${similar.join(', ')}?`, candidates: similar };
  const models = modelsIn(folder);
  if (models.length === 0) return { why: names.length === 0 ? `${folder} is empty` : `no model in ${folder}` };
  const more = models.length > SHOWN ? ` and ${models.length - SHOWN} more` : '';
  return { fix: `models here: ${models.slice(0, SHOWN).join(', ')}${more}`, candidates: models };
}

const STORED = /(\.meta|\.index|\.data-\d{5}-of-\d{5}|-\d{5}-of-\d{5})$/;

/** The nearest folder that exists shows where a path goes wrong. */
function missingFolder(folder: string): Detail {
  let [existing, wanted] = [dirname(folder), basename(folder)];
  while (!isFolder(existing) && dirname(existing) !== existing)
    [existing, wanted] = [dirname(existing), basename(existing)];
  const folders = isFolder(existing)
    ? entriesOf(existing)
        .map(({ name }) => name)
        .filter((name) => isFolder(inFolder(existing, name)))
    : [];
  const near = nearNames(wanted, folders).map((name) => inFolder(existing, name));
  return {
    why: `folder ${inFolder(existing, wanted)} not found`,
    fix: near.length > 0 ? `did you mean ${near.join(', ')}?` : 'check the path',
    candidates: near,
  };
}

function exists(path: string): boolean {
  return isFile(path) || isFolder(path);
}

/** The models in a folder, as paths: graphs, SavedModels, and folders that contain one. */
export function modelsIn(folder: string): string[] {
  const graphs = filesIn(folder).filter((name) => name.endsWith('.meta') || isGraphFile(folder, name));
  const folders = foldersIn(folder).filter((name) => holdsModel(inFolder(folder, name)));
  return [...graphs, ...folders].map((name) => inFolder(folder, name));
}

/** The folders in a folder, sorted; those that are hidden or cannot be read are left out. */
function foldersIn(folder: string): string[] {
  return entriesOf(folder).flatMap((entry) => (entry.isDirectory() && !entry.name.startsWith('.') ? [entry.name] : []));
}

/** Whether a folder has a model, by the names of its files. */
export function holdsModel(folder: string): boolean {
  try {
    return filesIn(folder).some((name) => /(^saved_model\.(pb|pbtxt)|\.meta|\.pb)$/.test(name));
  } catch {
    return false;
  }
}

function isGraphFile(folder: string, name: string): boolean {
  return /\.(pb|pbtxt|pb\.txt)$/.test(name) && graphKindOf(sniffFile(inFolder(folder, name))) !== undefined;
}
