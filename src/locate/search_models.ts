import { BnfixError } from '../errors.js';
import { explainWrongKind, type FileKind, graphKindOf } from '../readers/sniff.js';
import { entriesOf, folderOf, inFolder, isFile, isFolder, nameOf, realPath, sniffFile } from './files.js';
import { locateModel } from './locate.js';

/** A file with the graph of a model. */
export interface ModelFile {
  /** The path that other commands take: the folder of a SavedModel, otherwise the file. */
  readonly path: string;
  /** The file with its graph. */
  readonly file: string;
  readonly kind: FileKind;
}

/** The result for something that may be a model. */
export type SearchResult =
  | { readonly code: 'model'; readonly model: ModelFile }
  /** It has the name of a model, and cannot be one, or cannot be read. */
  | { readonly code: 'failed'; readonly path: string; readonly error: BnfixError }
  /** A file with the name of a model and other contents. */
  | { readonly code: 'skipped'; readonly path: string };

/** Names of files that may be models; their contents decide. */
const NAME = /\.(meta|pb|pbtxt|pb\.txt|onnx)$|model[^/]*\.json$/i;

/** Folders of packages. */
const FOREIGN_FOLDER = /^(node_modules|__pycache__|site-packages)$/;

/** Messages that TensorFlow 2 writes next to saved_model.pb; their fields look like those of a graph. */
const BESIDE_SAVED_MODEL = /^(keras_metadata|fingerprint)\.pb$/;

/** Folders of a SavedModel that hold no model. */
const PART_OF_SAVED_MODEL = /^(variables|assets|assets\.extra)$/;

/** What was meant to be a model: a download that failed, a file of Git LFS. */
const BROKEN: ReadonlySet<FileKind> = new Set(['git_lfs_pointer', 'html', 'empty']);

/** The kinds of files that are models. */
const FOREIGN_MODELS: ReadonlySet<FileKind> = new Set(['onnx', 'tfjs']);

/** The model that a path names: any file of it, the prefix of a checkpoint. @throws BnfixError like {@link locateModel} */
export function modelAt(path: string): ModelFile {
  if (isFile(path)) {
    const kind = sniffFile(path);
    if (FOREIGN_MODELS.has(kind)) return { path, file: path, kind };
  }
  const { graph, graphKind } = locateModel(path);
  return { path: isSavedModel(nameOf(graph)) ? folderOf(graph) : graph, file: graph, kind: graphKind };
}

/** The model.json of a path that is one of TensorFlow.js, or the folder of one; undefined for other paths. */
export function tfjsModelAt(path: string): string | undefined {
  const file = isFolder(path) ? inFolder(path, 'model.json') : path;
  return isFile(file) && sniffFile(file) === 'tfjs' ? file : undefined;
}

/** The models in a folder and in those below it, folder by folder in the order of names. Links that lead in circles are followed once. */
export function* searchModels(folder: string, visited: Set<string> = new Set()): Generator<SearchResult> {
  try {
    const real = realPath(folder);
    if (visited.has(real)) return;
    visited.add(real);
    const { files, folders } = contentsOf(folder);
    const savedModel = files.find(isSavedModel);
    if (savedModel !== undefined) yield resultOf(inFolder(folder, savedModel), true);
    for (const name of files) if (name !== savedModel) yield resultOf(inFolder(folder, name), false);
    for (const name of folders) {
      if (savedModel !== undefined && PART_OF_SAVED_MODEL.test(name)) continue;
      yield* searchModels(inFolder(folder, name), visited);
    }
  } catch (error) {
    if (!(error instanceof BnfixError)) throw error;
    yield { code: 'failed', path: folder, error };
  }
}

function contentsOf(folder: string): { files: string[]; folders: string[] } {
  const [files, folders]: [string[], string[]] = [[], []];
  for (const entry of entriesOf(folder)) {
    const { name } = entry;
    // A checkpoint may have an empty prefix: its graph is the file `.meta`.
    if (name.startsWith('.') && name !== '.meta') continue;
    const path = inFolder(folder, name);
    const isLink = entry.isSymbolicLink();
    if (entry.isDirectory() || (isLink && isFolder(path))) {
      if (!FOREIGN_FOLDER.test(name)) folders.push(name);
    } else if (isCandidate(name) && (entry.isFile() || (isLink && isFile(path)))) files.push(name);
  }
  return { files, folders };
}

function isCandidate(name: string): boolean {
  return NAME.test(name) && !BESIDE_SAVED_MODEL.test(name);
}

function isSavedModel(name: string): boolean {
  return name === 'saved_model.pb' || name === 'saved_model.pbtxt';
}

function resultOf(path: string, isNamedSavedModel: boolean): SearchResult {
  try {
    const kind = sniffFile(path);
    if (graphKindOf(kind) || FOREIGN_MODELS.has(kind)) {
      return { code: 'model', model: { path: isNamedSavedModel ? folderOf(path) : path, file: path, kind } };
    }
    const isMeant = isNamedSavedModel || BROKEN.has(kind) || hasIndex(path);
    if (!isMeant) return { code: 'skipped', path };
    return { code: 'failed', path, error: explainWrongKind(kind, path) };
  } catch (error) {
    if (!(error instanceof BnfixError)) throw error;
    return { code: 'failed', path, error };
  }
}

/** Unity and others have .meta files as well; one beside the index of a checkpoint is a graph. */
function hasIndex(path: string): boolean {
  return path.endsWith('.meta') && isFile(`${path.slice(0, -'.meta'.length)}.index`);
}
