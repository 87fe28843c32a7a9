import { checkOptions } from './check_options.js';
import { BnfixError } from './errors.js';
import { setNativeCrc32c } from './io/crc32c.js';
import { FileHashes } from './io/file_hashes.js';
import { FileSource } from './io/file_source.js';
import { loadNativeCrc32c } from './io/native_crc32c.js';
import type { ByteSource } from './io/source.js';
import { type LoadedModel, loadOpened, loadSources, type ModelSources } from './load_sources.js';
import { locateModel } from './locate/locate.js';
import { searchCheckpoint } from './locate/search_checkpoint.js';

/** Options of {@link load}. `checkpoint` and `reference` are paths; use them with the path of a model. */
export interface LoadOptions {
  /** The checkpoint, if not the one next to the graph: prefix, .index, folder or `checkpoint` file. */
  readonly checkpoint?: string;
  /** Tags of the graph in a SavedModel, separated by commas. */
  readonly tag?: string;
  /** The training graph (.meta) of an already frozen model: shows which statistics belong to which batch norm. */
  readonly reference?: string;
}

setNativeCrc32c(loadNativeCrc32c);

/**
 * Loads a model: from a path (.meta, .index, .data-*, prefix, `checkpoint` file, its folder, a GraphDef (.pb, .pbtxt) or a
 * SavedModel; file types are detected from content), or from the contents of its files. Weights are not read yet.
 *
 * @example
 * import { load } from 'bnfix';
 * const model = await load('model.meta'); // with model.index next to it
 * model.checkpoint.entries.size; // 50
 * model.close();
 *
 * @throws BnfixError `unreadable` when a file is missing, of the wrong type, truncated or corrupt; `usage` when the path
 *   matches several models
 */
export async function load(model: string | Uint8Array | ModelSources, options: LoadOptions = {}): Promise<LoadedModel> {
  checkOptions('load', options, { checkpoint: 'string', tag: 'string', reference: 'string' });
  if (typeof model === 'string') return loadPath(model, options);
  for (const option of ['checkpoint', 'reference'] as const) {
    if (options[option] === undefined) continue;
    throw new BnfixError('usage', `a model given as bytes cannot have a path as its ${option}`, {
      option,
      fix: `give the contents of all files: { graph, ${option} }`,
    });
  }
  return loadSources(model, options.tag === undefined ? {} : { tag: options.tag });
}

export { type FileHash, type FileHashes, hashFile } from './io/file_hashes.js';

/**
 * Loads a model like {@link load}, from a path; its files are hashed while it is used.
 * @returns `hashes`, to be stopped before the model is closed
 * @throws BnfixError like {@link load}
 */
export async function loadHashed(
  path: string,
  options: LoadOptions = {},
): Promise<{ readonly model: LoadedModel; readonly hashes: FileHashes }> {
  const hashes = await FileHashes.create();
  try {
    return { model: await loadPath(path, options, (source) => hashes.add(source)), hashes };
  } catch (error) {
    hashes.stop();
    throw error;
  }
}

/**
 * The files that {@link load} opens first for a path: the graph, and what names the checkpoint or is its index.
 * @throws BnfixError like {@link load}, when there is no model
 */
export function locatedFiles(path: string, { checkpoint: named }: Pick<LoadOptions, 'checkpoint'> = {}): string[] {
  const { graph, checkpoint } = locateModel(path, { checkpoint: named });
  return [graph, ...(checkpoint ? [checkpoint.state ?? [], checkpoint.index].flat() : [])];
}

async function loadPath(
  path: string,
  { checkpoint, tag, reference }: LoadOptions,
  onOpen: (source: FileSource) => void = () => {},
): Promise<LoadedModel> {
  const files = locateModel(path, { checkpoint });
  const referencePath = reference === undefined ? undefined : locateModel(reference).graph;
  const openFile = (name: string): ByteSource => {
    const source = new FileSource(name);
    onOpen(source);
    return source;
  };
  const graph = openFile(files.graph);
  // Read already, to find the checkpoint.
  if (files.checkpoint?.state !== undefined) openFile(files.checkpoint.state).close();
  return loadOpened(
    {
      graph,
      checkpoint: files.checkpoint && { files: files.checkpoint, open: openFile },
      reference: referencePath === undefined ? undefined : openFile(referencePath),
      searchCheckpoint: () => searchCheckpoint(files.graph),
    },
    tag,
  );
}
