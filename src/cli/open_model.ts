import { type FileHashes, type LoadOptions, load, loadHashed } from '../load.js';
import type { LoadedModel } from '../load_sources.js';

/** A loaded model, with the hashes of its files if they are needed. */
export interface OpenedModel {
  readonly model: LoadedModel;
  readonly hashes: FileHashes | undefined;
}

/** Loads a model; its files are hashed meanwhile if that is asked for, since large ones take another pass. */
export async function openModel(path: string, options: LoadOptions, isHashed: boolean): Promise<OpenedModel> {
  return isHashed ? loadHashed(path, options) : { model: await load(path, options), hashes: undefined };
}

/** Ends the use of a model. */
export function closeModel({ model, hashes }: OpenedModel): void {
  hashes?.stop();
  model.close();
}
