import type { CheckOptions } from './diagnosis/check_options.js';
import type { ModelKind } from './diagnosis/check_report.js';
import type { CheckResult } from './diagnosis/check_result.js';
import type { ModelFile } from './locate/search_models.js';
import { explainWrongKind, type FileKind } from './readers/sniff.js';

export { type ModelFile, modelAt, type SearchResult, searchModels, tfjsModelAt } from './locate/search_models.js';

/** The result for a file. */
export interface CheckedFile {
  readonly kind: ModelKind;
  readonly result: CheckResult;
}

/**
 * Checks files of one type: opens the file and what belongs to it, and closes them.
 * @param tag - the tags of the graph to check, of a SavedModel
 * @throws BnfixError when it cannot be read
 */
export type FileChecker = (model: ModelFile, options: CheckOptions, tag?: string) => Promise<CheckedFile>;

const tensorflow = async () => (await import('./check_tensorflow.js')).checkTensorFlow;

/** What checks each type of file. A new type is a {@link FileKind} and an entry here. */
const CHECKERS: Readonly<Partial<Record<FileKind, () => Promise<FileChecker>>>> = {
  graph_def: tensorflow,
  graph_text: tensorflow,
  meta_graph: tensorflow,
  meta_graph_text: tensorflow,
  saved_model: tensorflow,
  saved_model_text: tensorflow,
  onnx: async () => (await import('./check_foreign.js')).checkOnnxFile,
  tfjs: async () => (await import('./check_foreign.js')).checkTfjsFile,
};

/** Whether a file is a SavedModel, whose graphs have tags. */
export function isSavedModel({ kind }: ModelFile): boolean {
  return kind === 'saved_model' || kind === 'saved_model_text';
}

/**
 * Checks a model in a file.
 * @param tag - the tags of the graph to check, if it is a SavedModel
 * @throws BnfixError `unreadable` when the file is missing, of the wrong type, truncated or corrupt
 */
export async function checkFile(model: ModelFile, options: CheckOptions = {}, tag?: string): Promise<CheckedFile> {
  const checker = CHECKERS[model.kind];
  if (!checker) throw explainWrongKind(model.kind, model.file);
  const check = await checker();
  return check(model, options, isSavedModel(model) ? tag : undefined);
}
