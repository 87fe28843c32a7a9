import { BnfixError } from './errors.js';
import { FileSource } from './io/file_source.js';
import { type LoadOptions, load } from './load.js';
import { type LoadedModel, loadOpened } from './load_sources.js';

/** A model, and why it was loaded without its checkpoint, if it was. */
export interface LenientlyLoaded {
  readonly model: LoadedModel;
  readonly problem: BnfixError | undefined;
}

/**
 * Loads a model like `load`; if its checkpoint cannot be read, without it: the graph shows the rest.
 * @param file - the file that holds the graph
 * @throws BnfixError like `load`, if the graph cannot be read, or the user named the checkpoint
 */
export async function loadLeniently(path: string, file = path, options: LoadOptions = {}): Promise<LenientlyLoaded> {
  try {
    return { model: await load(path, options), problem: undefined };
  } catch (error) {
    const isFatal = !(error instanceof BnfixError) || error.code !== 'unreadable' || options.checkpoint !== undefined;
    const model = isFatal ? undefined : await graphAlone(file, options.tag);
    // Otherwise the fault is in the graph.
    if (!model) throw error;
    return { model, problem: error as BnfixError };
  }
}

/** A model without its checkpoint; undefined if its graph cannot be read either. */
async function graphAlone(file: string, tag: string | undefined): Promise<LoadedModel | undefined> {
  try {
    return await loadOpened({ graph: new FileSource(file) }, tag);
  } catch (error) {
    if (error instanceof BnfixError) return undefined;
    throw error;
  }
}
