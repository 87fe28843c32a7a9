/**
 * bnfix without Node.js: models come and go as bytes. `import 'bnfix/core'` in a browser or a worker.
 *
 * @example
 * import { freeze, graphBytes, load } from 'bnfix/core';
 * const model = await load({ graph: metaBytes, checkpoint: { index: indexBytes, data: [dataBytes] } });
 * const bytes = graphBytes(freeze(model));
 *
 * @module
 */
export type { Cost } from './analysis/folding/cost.js';
export type { FoldReason } from './analysis/folding/reasons.js';
export type { Shape } from './analysis/values/shapes.js';
export { BnfixError, type ErrorCode, type ErrorDetail, EXIT_CODES, type Fix } from './errors.js';
export { type FoldedModel, type FoldOptions, fold } from './freezing/fold.js';
export type { FoldedSite, FoldReport } from './freezing/fold_report.js';
export { type FrozenModel, freeze } from './freezing/freeze.js';
export type { FreezeOptions } from './freezing/options.js';
export type { BatchNormReport, FreezeReport, GraphSize, TensorInfo } from './freezing/report.js';
export type { AttrMap, AttrValue } from './graph/attrs.js';
export type { ChunkRing } from './graph/chunk_ring.js';
export { DataType } from './graph/dtype.js';
export { Graph, type GraphHeader } from './graph/graph.js';
export type { MetaGraphDef, Signature, SignatureTensor } from './graph/meta_graph_def.js';
export type { Checkpoint, Model, SliceExtent } from './graph/model.js';
export type { Node, NodeContent, NodeSpec, TensorRef } from './graph/node.js';
export type { NodeSet } from './graph/node_set.js';
export type { Tensor, TensorProto } from './graph/tensor.js';
export type { ByteSource } from './io/source.js';
export {
  type CheckpointSources,
  type FileContents,
  type LoadedModel,
  loadSources as load,
  type ModelSources,
  type SourceOptions,
} from './load_sources.js';
export type { Remark } from './passes/pass.js';
export type { OpenCheckpoint } from './readers/checkpoint/checkpoint.js';
export type { CheckpointEntry } from './readers/checkpoint/reader.js';
export { graphBytes } from './writers/graph_bytes.js';
export type { EncodedGraph } from './writers/graph_def.js';
