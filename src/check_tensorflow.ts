import type { FileChecker } from './checkable.js';
import { checkModel } from './diagnosis/check.js';
import type { CheckpointProblem } from './diagnosis/rules/rule.js';
import { BnfixError } from './errors.js';
import { FileSource } from './io/file_source.js';
import { load } from './load.js';
import { type LoadedModel, loadOpened } from './load_sources.js';

/** Checks a TensorFlow model. Of a checkpoint that cannot be read only that is reported: the graph shows the rest. */
export const checkTensorFlow: FileChecker = async ({ path, file }, options) => {
  const { model, problem } = await loadLeniently(path, file);
  try {
    return { kind: model.kind ?? 'graph_def', result: checkModel(model, options, problem) };
  } finally {
    model.close();
  }
};

interface Loaded {
  readonly model: LoadedModel;
  readonly problem?: CheckpointProblem;
}

async function loadLeniently(path: string, file: string): Promise<Loaded> {
  try {
    return { model: await load(path) };
  } catch (error) {
    if (!(error instanceof BnfixError) || error.code !== 'unreadable') throw error;
    const model = await graphAlone(file);
    // The fault is in the graph.
    if (!model) throw error;
    return { model, problem: { code: 'unreadable', error } };
  }
}

/** A model without its checkpoint; undefined if its graph cannot be read either. */
async function graphAlone(file: string): Promise<LoadedModel | undefined> {
  try {
    return await loadOpened({ graph: new FileSource(file) }, undefined);
  } catch (error) {
    if (error instanceof BnfixError) return undefined;
    throw error;
  }
}
