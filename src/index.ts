export { BnfixError, type ErrorCode, EXIT_CODES } from './errors.js';
export { runGraph } from './execute/run.js';
export { numbersOf, stringsOf, type TensorValue, valueOfNumbers, valueOfStrings } from './execute/value.js';
export {
  type BatchNormReport,
  type FreezeOptions,
  type FreezeReport,
  type FrozenModel,
  freeze,
  type GraphSize,
  type TensorInfo,
} from './freeze.js';
export type { Model } from './graph/model.js';
export { type LoadedModel, type LoadOptions, load } from './load.js';
export type { WriteOptions } from './writers/file.js';
export type { EncodedGraph } from './writers/graph_def.js';
export { type GraphFormat, type WritableGraph, writeGraph } from './writers/graph_file.js';
