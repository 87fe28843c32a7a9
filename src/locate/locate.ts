import { BnfixError } from '../errors.js';
import type { CheckpointFiles } from '../readers/checkpoint/reader.js';
import { explainWrongKind, type GraphKind, graphKindOf, isConverted, mayBeConverted } from '../readers/sniff.js';
import { entriesIn, filesIn, folderOf, inFolder, isFile, isFolder, nameOf, sniffFile } from './files.js';
import { checkpointAt, checkpointBeside, checkpointIn, locateCheckpoint } from './locate_checkpoint.js';
import { holdsModel, modelsIn, notFound } from './not_found.js';

export type { CheckpointFiles } from '../readers/checkpoint/reader.js';
export { locateCheckpoint } from './locate_checkpoint.js';

/** The files of a model. */
export interface ModelFiles {
  /** The file with the graph. */
  readonly graph: string;
  readonly graphKind: GraphKind;
  /** The values of its variables; a frozen graph needs none. */
  readonly checkpoint?: CheckpointFiles;
}

/** Options of {@link locateModel}. */
export interface LocateOptions {
  /** Any name of a checkpoint that {@link locateCheckpoint} accepts; overrides the one next to the graph. */
  readonly checkpoint?: string | undefined;
}

/**
 * The files of a model, found from any of them (.meta, .index, .data-*, a V1 checkpoint, the state file `checkpoint`,
 * a frozen .pb, saved_model.pb), from the prefix of its checkpoint, or from its folder.
 * @throws BnfixError `unreadable` when `named` does not exist, or when a file has the wrong type; `usage` when it is ambiguous
 */
export function locateModel(named: string, options: LocateOptions = {}): ModelFiles {
  const override = options.checkpoint === undefined ? undefined : locateCheckpoint(options.checkpoint);
  const found = find(named, override);
  const checkpoint = override ?? found.checkpoint ?? checkpointBeside(found.graph);
  const { graph } = found;
  if (!isFile(graph)) throw notFound(graph);
  const kind = sniffFile(graph);
  const graphKind = graphKindOf(kind);
  if (!graphKind) throw explainWrongKind(kind, graph);
  return checkpoint ? { graph, graphKind, checkpoint } : { graph, graphKind };
}

interface Found {
  readonly graph: string;
  readonly checkpoint?: CheckpointFiles;
}

function find(named: string, override: CheckpointFiles | undefined): Found {
  const exact = checkpointAt(named);
  if (exact || isFile(`${named}.meta`)) refuseFolderOfSameName(named);
  if (exact) return { graph: graphOf(exact), checkpoint: exact };
  if (isFile(named)) return findByFile(named);
  if (isFile(`${named}.meta`)) return { graph: `${named}.meta` };
  if (isFolder(named)) return findInFolder(named, override);
  throw notFound(named);
}

/** `model` may mean the file model.meta, or the model in the folder model. */
function refuseFolderOfSameName(named: string): void {
  if (named.endsWith('/') || !isFolder(named) || !holdsModel(named)) return;
  const files = [`${named}/`, isFile(`${named}.meta`) ? `${named}.meta` : `${named}.index`];
  throw new BnfixError('usage', `${named} is a folder with a model, and there is a file ${files[1]}`, {
    where: named,
    fix: `name one: ${files.join(', ')}`,
    candidates: files,
  });
}

function findByFile(path: string): Found {
  if (path.endsWith('.meta') || isGraph(path)) return { graph: path };
  const checkpoint = locateCheckpoint(path);
  return { graph: graphOf(checkpoint), checkpoint };
}

function isGraph(path: string): boolean {
  // The content of a data file reveals nothing: its tensors may start with any bytes.
  return !/\.data-\d{5}-of-\d{5}$/.test(path) && graphKindOf(sniffFile(path)) !== undefined;
}

function findInFolder(folder: string, override: CheckpointFiles | undefined): Found {
  const savedModel = savedModelIn(folder);
  if (savedModel) return { graph: savedModel };
  const checkpoint = override ?? checkpointIn(folder);
  const isHere = checkpoint !== undefined && inFolder(folderOf(checkpoint.prefix), '') === inFolder(folder, '');
  if (checkpoint && (isHere || override === undefined)) return { graph: graphOf(checkpoint), checkpoint };
  return { graph: onlyGraphIn(folder, folder) };
}

function savedModelIn(folder: string): string | undefined {
  return ['saved_model.pb', 'saved_model.pbtxt'].map((name) => inFolder(folder, name)).find(isFile);
}

/** The graph that was saved with a checkpoint. */
function graphOf({ prefix }: CheckpointFiles): string {
  const meta = `${prefix}.meta`;
  if (isFile(meta)) return meta;
  const folder = folderOf(prefix);
  const savedModel = nameOf(folder) === 'variables' ? savedModelIn(folderOf(folder)) : undefined;
  return savedModel ?? onlyGraphIn(folder, prefix);
}

/** The only .meta of a folder; without a .meta, the only other graph. */
function onlyGraphIn(folder: string, named: string): string {
  const names = filesIn(folder);
  const metas = names.filter((name) => name.endsWith('.meta'));
  const others = names.filter((name) => /\.(pb|pbtxt|pb\.txt)$/.test(name));
  const candidates = (metas.length > 0 ? metas : others).map((name) => inFolder(folder, name));
  if (candidates.length === 1) return candidates[0]!;
  if (candidates.length > 1) {
    throw new BnfixError('usage', `${candidates.length} files may be the graph of ${named}`, {
      where: folder,
      why: 'the choice is ambiguous',
      fix: [
        `name one: ${candidates.join(', ')}`,
        { option: 'checkpoint', value: 'PREFIX', text: 'names the checkpoint' },
      ],
    });
  }
  if (named === folder) throw noModelIn(folder, names);
  throw new BnfixError('unreadable', `no graph found for ${named}`, {
    where: folder,
    why: 'a checkpoint holds only values; the graph is in a .meta file or a SavedModel, and its folder contains neither',
    fix: 'copy the .meta file from where the checkpoint was saved, or save the model again with tf.train.Saver',
  });
}

/** The error for a folder without a model. */
function noModelIn(folder: string, names: readonly string[]): BnfixError {
  const below = modelsIn(folder);
  if (below.length > 0) {
    const [first] = below;
    const isOne = below.length === 1;
    return new BnfixError('unreadable', `no model in ${folder}${isOne ? `, but ${first} has one` : ''}`, {
      where: folder,
      fix: isOne ? first : `models below it: ${below.slice(0, 10).join(', ')}`,
      candidates: below,
    });
  }
  if (names.length === 0 && entriesIn(folder) === 0) {
    return new BnfixError('unreadable', `${folder} is empty`, { where: folder, fix: 'name the folder of the model' });
  }
  const converted = names.filter(mayBeConverted);
  const kind = converted.length === 1 ? sniffFile(inFolder(folder, converted[0]!)) : undefined;
  if (kind !== undefined && isConverted(kind)) return explainWrongKind(kind, inFolder(folder, converted[0]!));
  const hasCheckpoint = names.some((name) => /\.(index|data-\d{5}-of-\d{5})$/.test(name));
  return new BnfixError('unreadable', `no model in ${folder}`, {
    where: folder,
    why: hasCheckpoint
      ? 'a checkpoint holds only values; the graph is in a .meta file, and this folder has none'
      : `it has no .meta, .pb or saved_model.pb${names.length === 0 ? '' : `; it contains: ${names.slice(0, 10).join(', ')}`}`,
    fix: hasCheckpoint ? 'copy the .meta file that was saved with it into the folder' : 'name the folder of the model',
  });
}
