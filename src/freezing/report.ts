import { isUntouched } from '../analysis/state/health.js';
import { findActivations } from '../analysis/training/activations.js';
import type { BatchNorm } from '../analysis/training/batch_norms.js';
import { isBatchReduction } from '../analysis/training/batch_statistics.js';
import { type Shape, Shapes } from '../analysis/values/shapes.js';
import { attrType } from '../graph/attrs.js';
import { DataType, dtypeName } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import type { Model } from '../graph/model.js';
import type { TensorRef } from '../graph/node.js';
import { sourceOf } from '../graph/walk.js';
import { isIdentity } from '../ops/meaning.js';
import { outputTypes } from '../ops/registry.js';
import type { PassContext, Remark } from '../passes/pass.js';
import type { PassRun } from '../passes/pipeline.js';

/** A tensor of the result. */
export interface TensorInfo {
  readonly name: string;
  /** float32, int64, ... */
  readonly dtype: string;
  readonly shape: Shape;
}

/** What became of a batch norm that is on the way to an output. */
export interface BatchNormReport {
  readonly name: string;
  readonly form: string;
  readonly action: 'repaired' | 'left' | 'inference already';
  /** The moving statistics that it uses now, and how they were found; or why it was left. */
  readonly evidence: string;
  readonly mean?: string;
  readonly variance?: string;
}

/** Size of a graph. */
export interface GraphSize {
  readonly nodes: number;
  /** Number of different ops. */
  readonly ops: number;
  /** Of the file. */
  readonly bytes: number;
}

/** What was done, on which evidence. */
export interface FreezeReport {
  readonly model: {
    readonly name: string;
    readonly tensorflow: string | undefined;
    readonly producer: number | undefined;
  };
  readonly checkpoint: string | undefined;
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  readonly outputsWhy: string;
  readonly batchNorms: readonly BatchNormReport[];
  readonly passes: readonly {
    readonly pass: string;
    readonly changed: readonly Remark[];
    readonly skipped: readonly Remark[];
  }[];
  /** What the user ought to know. */
  readonly notes: readonly string[];
  readonly before: GraphSize;
  readonly after: GraphSize;
}

/** What a report is made of. */
export interface ReportSource {
  readonly model: Model;
  readonly context: PassContext;
  readonly outputsWhy: string;
  readonly passes: readonly PassRun[];
  /** Size of the result in bytes. */
  readonly byteLength: number;
  readonly notes: readonly string[];
}

export function freezeReport({ model, context, outputsWhy, passes, byteLength, notes }: ReportSource): FreezeReport {
  const { graph } = context;
  return {
    model: {
      name: model.name,
      tensorflow: model.metaGraphDef.meta_info_def?.tensorflow_version || undefined,
      producer: model.graph.header.versions?.producer ?? undefined,
    },
    checkpoint: model.checkpoint?.name,
    inputs: tensorInfos(graph, placeholders(graph)),
    outputs: tensorInfos(graph, context.outputs),
    outputsWhy,
    batchNorms: judgedSites(context, passes).map((site) => batchNormReport(site, context)),
    passes,
    notes: [...notes, ...randomNotes(graph), ...batchNotes(graph), ...untouchedNotes(graph, context)],
    before: { ...sizeOf(model.graph), bytes: model.byteLength },
    after: { ...sizeOf(graph), bytes: byteLength },
  };
}

/** `[?,224,224,3]`; `?` alone where the rank is not known. */
export function shapeText(shape: Shape): string {
  return shape ? `[${shape.map((size) => (size < 0 ? '?' : size)).join(',')}]` : '?';
}

function placeholders(graph: Graph): TensorRef[] {
  const nodes = [...graph.nodes()].filter((node) => /^Placeholder(V2|WithDefault)?$/.test(node.op));
  return nodes.map((node) => ({ node: node.name, port: 0 }));
}

/** Names, dtypes and shapes of tensors, as they are shown. */
export function tensorInfos(graph: Graph, refs: readonly TensorRef[]): TensorInfo[] {
  const shapes = new Shapes(graph);
  return refs.map((ref) => {
    const node = graph.get(ref.node);
    const dtype = outputTypes(node)?.[ref.port] ?? attrType(node, 'T') ?? DataType.DT_INVALID;
    return { name: `${ref.node}:${ref.port}`, dtype: dtypeName(dtype), shape: shapes.of(ref) };
  });
}

/** The sites on the way to an output: those that were rewired or left with a reason, and those in inference mode. */
function judgedSites(context: PassContext, passes: readonly PassRun[]): BatchNorm[] {
  const runs = passes.filter(({ pass }) => pass === 'rewire_batch_norms' || pass === 'rewire_averaged_statistics');
  const judged = new Set(runs.flatMap((run) => [...run.changed, ...run.skipped]).map((remark) => remark.node));
  const isLeft = (site: BatchNorm) => site.mode === 'inference' && context.graph.has(site.name);
  return context.batchNorms.sites.filter((site) => judged.has(site.name) || isLeft(site));
}

function sizeOf(graph: Graph): { nodes: number; ops: number } {
  const ops = new Set<string>();
  for (const node of graph.nodes()) ops.add(node.op);
  return { nodes: graph.size, ops: ops.size };
}

function batchNormReport(site: BatchNorm, context: PassContext): BatchNormReport {
  const { name, form, statistics } = site;
  if (site.mode === 'inference') return { name, form, action: 'inference already', evidence: 'is_training is false' };
  if (site.inParts && !context.isKept(name)) {
    return {
      name,
      form,
      action: 'repaired',
      evidence: 'update op: variables follow parts of it, and stand in for them',
    };
  }
  if (!statistics || context.isKept(name)) {
    return { name, form, action: 'left', evidence: context.isKept(name) ? '--keep' : (site.exempt ?? '') };
  }
  const { mean, variance, evidence } = statistics;
  return {
    name,
    form,
    action: 'repaired',
    evidence: `${evidence.kind}: ${evidence.text}`,
    mean: mean.node,
    variance: variance.node,
  };
}

/** What still mixes the examples of a batch, on purpose or not. */
function batchNotes(graph: Graph): string[] {
  const shapes = new Shapes(graph);
  const activations = findActivations(graph);
  const left = [...graph.nodes()].filter((node) => activations.has(node) && isBatchReduction(graph, shapes, node));
  if (left.length === 0) return [];
  return [`averages over the batch are left, answers may depend on it: ${namesOf(left)}`];
}

/** Batch norms that are in inference mode as they should, with statistics that were never updated. */
function untouchedNotes(graph: Graph, { batchNorms }: PassContext): string[] {
  const left = batchNorms.sites.filter(({ name, mode }) => {
    const node = mode === 'inference' ? graph.find(name) : undefined;
    const constants =
      node?.inputs.slice(3, 5).map((ref) => graph.find(sourceOf(graph, ref, isIdentity).node)?.tensor) ?? [];
    return constants.length === 2 && constants.every((value) => value !== undefined && isUntouched(value));
  });
  if (left.length === 0) return [];
  return [`statistics that were never updated (all 0 or all 1) are in use: ${namesOf(left)}`];
}

function namesOf(nodes: readonly { readonly name: string }[]): string {
  const names = nodes.slice(0, 5).map((node) => node.name);
  return `${names.join(', ')}${nodes.length > 5 ? ` and ${nodes.length - 5} more` : ''}`;
}

function randomNotes(graph: Graph): string[] {
  const random = [...graph.nodes()].filter((node) =>
    /^(Stateless)?Random|^Multinomial$|^TruncatedNormal$/.test(node.op),
  );
  if (random.length === 0) return [];
  return [`random ops are left, the answers vary: ${namesOf(random)}`];
}
