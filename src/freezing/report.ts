import type { Obstacle } from '../analysis/runnable/obstacle.js';
import type { StatisticsRange } from '../analysis/state/health.js';
import type { Evidence } from '../analysis/state/statistics.js';
import type { Flag, FlagReason } from '../analysis/training/flags.js';
import type { Reader } from '../analysis/training/outputs/predictions.js';
import type { Demotion } from '../analysis/training/outputs/ranking.js';
import type { OutputReason } from '../analysis/training/outputs.js';
import { type Shape, Shapes } from '../analysis/values/shapes.js';
import { attrType } from '../graph/attrs.js';
import { bytesPerElement, DataType, dtypeName } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import type { Model } from '../graph/model.js';
import { type TensorRef, tensorName } from '../graph/node.js';
import { elementCount } from '../graph/tensor.js';
import { anyOf } from '../ops/meaning.js';
import { outputType, outputTypeOrT } from '../ops/registry.js';
import type { Outcome } from '../passes/outcome.js';
import type { AnalysedBatchNorm, Analysis, Kept, StoredBatchNorm } from './analysis.js';
import { type Notice, noticesOf, noticesOfResult, usesCheckpoint } from './notices.js';

/** A tensor of the result. */
export interface TensorInfo {
  /** `name:port`. */
  readonly name: string;
  /** float32, int64, ... */
  readonly dtype: string;
  /** Sizes, -1 for an unknown one; undefined for an unknown rank. */
  readonly shape: Shape;
}

/** A tensor that may be an output. */
export interface CandidateReport extends TensorInfo {
  readonly op: string;
  /** What reads it. */
  readonly reader: Reader;
  /** Why it is no output; undefined if it was chosen or proposed. */
  readonly demotion: Demotion | undefined;
}

/** The result for a batch norm that feeds an output. */
export interface BatchNormReport {
  readonly name: string;
  /** The op; `unfused` for an unfused batch norm. */
  readonly pattern: string;
  readonly status: /** It used batch statistics; now it uses moving statistics. */
    | 'repaired'
    /** It already used moving statistics. */
    | 'inference'
    /** It normalises each example by itself, and stays as it is. */
    | 'per_example'
    /** It stays in training mode by the option `keep`. */
    | 'kept';
  /** How its statistics were found, if it was repaired; undefined if variables average parts of it. */
  readonly evidence: Evidence | undefined;
  /** The variables that hold its statistics; undefined if `evidence` is. */
  readonly mean: string | undefined;
  readonly variance: string | undefined;
  /** The values of its stored statistics; undefined if it uses none, or if variables average parts of them. */
  readonly range: StatisticsRange | undefined;
  /** Why it normalises each example by itself. */
  readonly reason: 'layer_normalization' | 'batch_of_one' | undefined;
}

/** A model and what wrote it. */
export interface ModelInfo {
  /** The file that holds the graph. */
  readonly name: string;
  /** The version of TensorFlow that wrote it, if the file says so: `1.15.5`. */
  readonly tensorflow: string | undefined;
  /** The version of the GraphDef (versions.producer). */
  readonly producer: number | undefined;
}

/** Size of a graph. */
export interface GraphSize {
  /** Number of nodes. */
  readonly nodes: number;
  /** Number of different ops. */
  readonly ops: number;
  /** Size of graph and weights. */
  readonly bytes: number;
}

/** A flag and the value that it has in the frozen graph. */
export interface FlagReport {
  /** The placeholder or variable, or the node that computes a condition. */
  readonly name: string;
  /** A boolean for a boolean flag, otherwise a number. */
  readonly value: boolean | number;
  readonly reason: FlagReason;
}

/** What was done and on which evidence, as data; docs/report.schema.json is its schema. */
export interface FreezeReport {
  readonly model: ModelInfo;
  /** Path of the checkpoint; undefined for a graph without one. */
  readonly checkpoint: string | undefined;
  /** The placeholders of the result, which have to be fed. */
  readonly inputs: readonly TensorInfo[];
  /** In the order in which they were named. */
  readonly outputs: readonly TensorInfo[];
  readonly outputReason: OutputReason;
  /** The candidates for outputs, best first. */
  readonly candidates: readonly CandidateReport[];
  /** Those that feed an output, in file order. */
  readonly batchNorms: readonly BatchNormReport[];
  readonly flags: readonly FlagReport[];
  /** What was left as it is by the option `keep`. */
  readonly kept: readonly Kept[];
  /** All changes, in order. */
  readonly outcomes: readonly Outcome[];
  /** Notices for the user. */
  readonly notices: readonly Notice[];
  /** The model: the file that holds its graph, and the tensors of its checkpoint. */
  readonly before: GraphSize;
  /** The result in binary form. */
  readonly after: GraphSize;
}

/** The name of a model, and what wrote it. */
export function modelInfo({ name, graph, metaGraphDef }: Model): ModelInfo {
  return {
    name,
    tensorflow: metaGraphDef.meta_info_def?.tensorflow_version || undefined,
    producer: graph.header.versions?.producer ?? undefined,
  };
}

/** A result, as far as a report needs more than its graph. */
interface ResultFacts {
  readonly outcomes: readonly Outcome[];
  /** The outputs by their names in the result. */
  readonly outputs: readonly TensorRef[];
  /** Size of the result. */
  readonly byteLength: number;
  /** What the user keeps in the result. */
  readonly obstacles: readonly Obstacle[];
}

/** The report of a frozen graph. */
export function freezeReport(analysis: Analysis, graph: Graph, result: ResultFacts): FreezeReport {
  const { model, outputs, flags, kept } = analysis;
  const { outcomes, byteLength, obstacles } = result;
  return {
    model: modelInfo(model),
    checkpoint: model.checkpoint?.name,
    inputs: tensorInfos(graph, placeholders(graph)),
    outputs: tensorInfos(graph, result.outputs),
    outputReason: outputs.reason,
    candidates: candidateReports(outputs),
    batchNorms: batchNormReports(analysis),
    flags: flags.map((flag) => flagReport(analysis.graph, flag)),
    kept,
    outcomes,
    notices: [
      ...noticesOf(analysis),
      ...noticesOfResult(graph, [...analysis.obstacles, ...obstacles], analysis.options.target),
    ],
    before: { ...sizeOf(model.graph), bytes: model.byteLength + checkpointBytes(analysis) },
    after: { ...sizeOf(graph), bytes: byteLength },
  };
}

/** The candidates for outputs, best first. */
export function candidateReports({ candidates }: Analysis['outputs']): CandidateReport[] {
  return candidates.map(({ ref, op, dtype, shape, reader, demotion }) => ({
    name: tensorName(ref),
    dtype,
    shape,
    op,
    reader,
    demotion,
  }));
}

/** A flag with its value in its own type. */
export function flagReport(graph: Graph, { node, value, reason }: Flag): FlagReport {
  const pinned = graph.find(node);
  const dtype = pinned && (outputType(pinned, 0) ?? attrType(pinned, 'dtype'));
  return { name: node, value: dtype === DataType.DT_BOOL ? value !== 0 : value, reason };
}

const isPlaceholder = anyOf('placeholder');

function placeholders(graph: Graph): TensorRef[] {
  return [...graph.nodes()].filter((node) => isPlaceholder(node)).map((node) => ({ node: node.name, port: 0 }));
}

/** Names, dtypes and shapes of those tensors that the graph still has. */
export function tensorInfos(graph: Graph, refs: readonly TensorRef[]): TensorInfo[] {
  const shapes = new Shapes(graph);
  return refs.flatMap((ref) => {
    const node = graph.find(ref.node);
    if (!node) return [];
    const dtype = outputTypeOrT(node, ref.port);
    return [{ name: tensorName(ref), dtype: dtypeName(dtype), shape: shapes.of(ref) }];
  });
}

/** All batch norms that feed an output, in file order; unfused ones in inference mode included. */
function batchNormReports({ graph, batchNorms, stored }: Analysis): BatchNormReport[] {
  const known = new Set(batchNorms.map(({ name }) => name));
  const others = stored.filter(({ name, isBatchNorm }) => isBatchNorm && !known.has(name));
  const reports = [...batchNorms.map(batchNormReport), ...others.map(storedReport)];
  if (others.length === 0) return reports;
  const byName = new Map(reports.map((report) => [report.name, report]));
  return [...graph.nodes()].flatMap(({ name }) => byName.get(name) ?? []);
}

function storedReport({ name, range }: StoredBatchNorm): BatchNormReport {
  return { ...blankReport(name, 'unfused'), status: 'inference', range };
}

function blankReport(name: string, pattern: string) {
  const nothing = { evidence: undefined, mean: undefined, variance: undefined, range: undefined, reason: undefined };
  return { name, pattern, ...nothing };
}

function batchNormReport({ name, pattern, isKept, status, range }: AnalysedBatchNorm): BatchNormReport {
  const site = blankReport(name, pattern);
  if (isKept) return { ...site, status: 'kept' };
  switch (status.kind) {
    case 'inference':
      return { ...site, status: 'inference', range };
    case 'per_example':
      return { ...site, status: 'per_example', reason: status.reason };
    case 'paired': {
      const { mean, variance, evidence } = status.statistics;
      return { ...site, status: 'repaired', evidence, mean: mean.node, variance: variance.node, range };
    }
    default:
      return { ...site, status: 'repaired' };
  }
}

/** Size of the tensors in a checkpoint that the result uses; tensors of strings do not count. */
function checkpointBytes({ model, needed, batchNorms }: Analysis): number {
  if (!model.checkpoint || !usesCheckpoint({ needed, batchNorms })) return 0;
  let bytes = 0;
  for (const { dtype, shape } of model.checkpoint.entries.values())
    bytes += elementCount(shape) * (bytesPerElement(dtype) ?? 0);
  return bytes;
}

function sizeOf(graph: Graph): { nodes: number; ops: number } {
  return { nodes: graph.size, ops: new Set([...graph.nodes()].map(({ op }) => op)).size };
}
