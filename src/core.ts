/**
 * bnfix without Node.js: models are read from and written to bytes. `import 'bnfix/core'` in a browser or a worker.
 *
 * @example
 * import { freeze, graphBytes, load } from 'bnfix/core';
 * const fetched = async (name) => new Uint8Array(await (await fetch(name)).arrayBuffer());
 * const [graph, index, data] = await Promise.all(['model.meta', 'model.index', 'model.data-00000-of-00001'].map(fetched));
 * const model = await load({ graph, checkpoint: { index, data: [data] } });
 * const bytes = graphBytes(freeze(model));
 * bytes.length; // 30025
 *
 * @module
 */
export type { Cost } from './analysis/folding/cost.js';
export type { ChannelProblem, FoldReason } from './analysis/folding/reasons.js';
export type { Obstacle, TableContents } from './analysis/runnable/obstacle.js';
export type { Table } from './analysis/runnable/tables.js';
export type { MissingValue } from './analysis/state/checkpoint_value.js';
export type { HealthProblem, NumberRange, StatisticsRange } from './analysis/state/health.js';
export type { Row } from './analysis/state/rows.js';
export type { Evidence, Statistics } from './analysis/state/statistics.js';
export type { Variable, Variables } from './analysis/state/variables.js';
export type { BatchNorm, BatchNormStatus, UnpairedReason } from './analysis/training/batch_norms.js';
export type { Dropout } from './analysis/training/dropouts.js';
export type { Flag, FlagReason } from './analysis/training/flags.js';
export type { Reader } from './analysis/training/outputs/predictions.js';
export type { Demotion } from './analysis/training/outputs/ranking.js';
export type { OutputCandidate, OutputReason, SignatureOutputs } from './analysis/training/outputs.js';
export type { Problem } from './analysis/training/problems.js';
export type { RandomOpProblem } from './analysis/training/random_op_problem.js';
export type { Replacement, Substitute } from './analysis/training/replacements.js';
export type { Stored, StoredNorm } from './analysis/training/stored_statistics.js';
export type { UnfusedPattern } from './analysis/training/unfused.js';
export type { Shape } from './analysis/values/shapes.js';
export { check } from './diagnosis/check.js';
export type { CheckOptions } from './diagnosis/check_options.js';
export type { CheckResult, CheckVerdict, ConvertAgain, Repair } from './diagnosis/check_result.js';
export type {
  Finding,
  FindingDetail,
  FlagSetting,
  Level,
  RuleId,
  RuleLevel,
  TrainingOpKind,
} from './diagnosis/finding.js';
export { inspect } from './diagnosis/inspect.js';
export type {
  Amount,
  BatchNormInspection,
  DropoutInspection,
  FlagInspection,
  Histogram,
  Inspection,
  OpCount,
  RuleCount,
  SignatureInspection,
  SignatureTensorInspection,
  SizeInspection,
  StatisticsInspection,
  ValueSummary,
  Verdict,
} from './diagnosis/inspection.js';
export { BnfixError, type ErrorCode, type ErrorDetail, EXIT_CODES, type Fix } from './errors.js';
export { analyse } from './freezing/analyse.js';
export type { AnalysedBatchNorm, Analysis, Kept, StoredBatchNorm, Unhealthy } from './freezing/analysis.js';
export { apply, type FrozenModel } from './freezing/apply.js';
export { type FoldedModel, type FoldOptions, fold } from './freezing/fold.js';
export type { FoldedSite, FoldReport } from './freezing/fold_report.js';
export { freeze } from './freezing/freeze.js';
export type { Notice } from './freezing/notices.js';
export type { FreezeOptions } from './freezing/options.js';
export type { OutputsFound } from './freezing/outputs.js';
export type {
  BatchNormReport,
  CandidateReport,
  FlagReport,
  FreezeReport,
  GraphSize,
  ModelInfo,
  TensorInfo,
} from './freezing/report.js';
export type { FedBy } from './freezing/still_fed.js';
export type { TargetName } from './freezing/target_names.js';
export type { AttrMap, AttrValue } from './graph/attrs.js';
export type { ChunkRing } from './graph/chunk_ring.js';
export { DataType } from './graph/dtype.js';
export { Graph, type GraphHeader } from './graph/graph.js';
export type { Collection, MetaGraphDef, Signature, SignatureTensor } from './graph/meta_graph_def.js';
export type { Checkpoint, CheckpointSearch, Model, SliceExtent } from './graph/model.js';
export type { Node, NodeContent, NodeSpec, TensorRef } from './graph/node.js';
export type { NodeSet } from './graph/node_set.js';
export type { TensorSlice } from './graph/slices.js';
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
export type { Outcome } from './passes/outcome.js';
export type { CutInput, FreezePlan, FusedRepair, PreparePlan } from './passes/pass.js';
export type { OpenCheckpoint } from './readers/checkpoint/checkpoint.js';
export type { CheckpointEntry } from './readers/checkpoint/reader.js';
export { graphBytes } from './writers/graph_bytes.js';
export type { EncodedGraph } from './writers/graph_def.js';
