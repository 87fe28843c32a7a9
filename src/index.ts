export * from './core.js';
export { type LoadOptions, load } from './load.js';
export { runGraph } from './run/run.js';
export { type NumberData, type TensorValue, tensorValue } from './run/value.js';
export type { WriteOptions } from './writers/encoded.js';
export { type GraphFormat, type WritableGraph, writeGraph } from './writers/graph_file.js';
