import type { FileChecker } from './checkable.js';
import { checkModel } from './diagnosis/check.js';
import { loadLeniently } from './load_leniently.js';

/** Checks a TensorFlow model. Of a checkpoint that cannot be read only that is reported: the graph shows the rest. */
export const checkTensorFlow: FileChecker = async ({ path, file }, options, tag) => {
  const { model, problem: error } = await loadLeniently(path, file, tag === undefined ? {} : { tag });
  try {
    const problem = error && ({ code: 'unreadable', error } as const);
    return { kind: model.kind ?? 'graph_def', result: checkModel(model, options, problem) };
  } finally {
    model.close();
  }
};
