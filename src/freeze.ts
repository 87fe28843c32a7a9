import { type BatchNorm, findBatchNorms } from './analysis/batch_norms.js';
import { type Flag, findFlags } from './analysis/flags.js';
import { chooseOutputs, type OutputCandidate, parseTensorName } from './analysis/outputs.js';
import { type Shape, Shapes } from './analysis/shapes.js';
import { findVariables, type Variable, type Variables } from './analysis/variables.js';
import { BnfixError } from './errors.js';
import { attrType } from './graph/attrs.js';
import { DataType, dtypeName } from './graph/dtype.js';
import type { Graph, TensorRef } from './graph/graph.js';
import type { Model, Weights } from './graph/model.js';
import { outputTypes } from './graph/ops.js';
import { didYouMean } from './near.js';
import { inlineFunctions } from './passes/inline_functions.js';
import type { PassContext, PrepareContext, Remark } from './passes/pass.js';
import { FREEZE_PIPELINE, type PassRun, PREPARE_PIPELINE, runPipeline } from './passes/pipeline.js';
import { type EncodedGraph, encodeGraphDef } from './writers/graph_def.js';

/** What can be said to {@link freeze}; without any of it, everything is found in the file. */
export interface FreezeOptions {
  /** Tensors that the result has to answer: `name`, `name:0`. Otherwise a signature or the one clear candidate. */
  readonly outputs?: readonly string[];
  /** Tensors to cut at: each becomes a placeholder of its dtype and shape. */
  readonly inputs?: readonly string[];
  /** Batch norms and dropouts to leave in training mode: names or globs. */
  readonly keep?: readonly string[];
  /** Batch norm (name or glob) -> the variables or checkpoint keys that hold its moving mean and variance. */
  readonly map?: Readonly<Record<string, readonly [mean: string, variance: string]>>;
  /** Placeholders (or variables) to pin: a flag, a keep_prob, any number. */
  readonly set?: Readonly<Record<string, boolean | number>>;
  /** Take statistics that were never updated (mean 0, variance 1) as they are. */
  readonly allowUntrained?: boolean;
}

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

/** A frozen graph that is ready to be written. */
export interface FrozenModel {
  readonly graph: Graph;
  readonly report: FreezeReport;
  /** The binary GraphDef; weights are read while its chunks are. */
  readonly encoded: EncodedGraph;
}

/**
 * Repairs the batch norms of a model and freezes it: a graph without variables that answers as the true inference graph
 * would. The model itself is left as it is.
 *
 * @throws BnfixError `usage` when outputs have to be named, `statistics` when moving statistics or variables are missing
 *   or not sane, `unsupported` for a form that cannot be repaired: never a graph that is only probably right.
 */
export function freeze(model: Model, options: FreezeOptions = {}): FrozenModel {
  const graph = model.graph.copy();
  const copy = { ...model, graph };
  const inlined = runPipeline([inlineFunctions], { graph, outputs: [], inputs: [], flags: [] });
  const chosen = outputsOf(copy, options);
  const variables = findVariables(copy);
  const prepare: PrepareContext = {
    graph,
    outputs: chosen.outputs,
    inputs: (options.inputs ?? []).map(parseTensorName),
    flags: flagsOf(graph, chosen.outputs, options.set ?? {}),
  };
  const prepared = runPipeline(PREPARE_PIPELINE, prepare);
  const found = findBatchNorms(graph, variables, model.weights);
  const context: PassContext = {
    ...prepare,
    variables,
    weights: model.weights,
    batchNorms: { ...found, sites: mapped(found.sites, variables, model.weights, options.map ?? {}) },
    isKept: matcher(options.keep ?? []),
    allowUntrained: options.allowUntrained ?? false,
  };
  const before = { ...sizeOf(model.graph), bytes: model.byteLength };
  const passes = [...inlined, ...prepared, ...runPipeline(FREEZE_PIPELINE, context)];
  const encoded = encodeGraphDef(graph);
  const report: FreezeReport = {
    model: {
      name: model.name,
      tensorflow: model.meta.meta_info_def?.tensorflow_version || undefined,
      producer: model.graph.frame.versions?.producer ?? undefined,
    },
    checkpoint: model.weights?.name,
    inputs: tensorInfos(graph, placeholders(graph)),
    outputs: tensorInfos(graph, chosen.outputs),
    outputsWhy: chosen.why,
    batchNorms: judgedSites(context, passes).map((site) => batchNormReport(site, context)),
    passes,
    notes: notesOf(graph),
    before,
    after: { ...sizeOf(graph), bytes: encoded.byteLength },
  };
  return { graph, report, encoded };
}

function outputsOf(model: Model, options: FreezeOptions): { outputs: readonly TensorRef[]; why: string } {
  if (options.outputs && options.outputs.length > 0) {
    return { outputs: options.outputs.map((name) => namedOutput(model.graph, name)), why: 'named by --outputs' };
  }
  const choice = chooseOutputs(model);
  if (choice.outputs.length > 0) return choice;
  throw new BnfixError('usage', 'which tensors are the outputs?', {
    where: model.name,
    why:
      choice.candidates.length === 0
        ? 'the graph has no tensor that looks like one'
        : candidateList(model.graph, choice.candidates),
    fix: `name them: --outputs ${choice.candidates[0] ? choice.candidates[0].ref.node : 'NAME'}`,
  });
}

function candidateList(graph: Graph, candidates: readonly OutputCandidate[]): string {
  const shown = candidates.slice(0, 12).map(({ ref, op }) => {
    const [info] = tensorInfos(graph, [ref]);
    return `${info!.name}  ${op}  ${info!.dtype} ${shapeText(info!.shape)}`;
  });
  const more = candidates.length > 12 ? [`and ${candidates.length - 12} more`] : [];
  return ['candidates, best first:', ...shown, ...more].join('\n');
}

/** `[?,224,224,3]`; `?` alone where the rank is not known. */
export function shapeText(shape: Shape): string {
  return shape ? `[${shape.map((size) => (size < 0 ? '?' : size)).join(',')}]` : '?';
}

function namedOutput(graph: Graph, name: string): TensorRef {
  const ref = parseTensorName(name);
  const node = graph.find(ref.node);
  if (!node) {
    throw new BnfixError('usage', `there is no tensor ${name} in the graph`, {
      where: '--outputs',
      fix:
        didYouMean(
          ref.node,
          [...graph.nodes()].map((other) => other.name),
        ) ?? 'leave --outputs out to see candidates',
    });
  }
  const types = outputTypes(node);
  if (types && ref.port >= types.length) {
    throw new BnfixError('usage', `${ref.node} has no output ${ref.port}`, {
      where: '--outputs',
      why: types.length === 0 ? `${node.op} makes no tensor` : `${node.op} has ${types.length} outputs`,
    });
  }
  return ref;
}

/** The flags that the user pins, and those that are recognised. */
function flagsOf(graph: Graph, outputs: readonly TensorRef[], set: NonNullable<FreezeOptions['set']>): Flag[] {
  const given = Object.entries(set).map(([name, value]): Flag => {
    const { node } = parseTensorName(name);
    if (!graph.has(node)) {
      const placeholders = [...graph.nodes()].filter((other) => other.op.startsWith('Placeholder'));
      throw new BnfixError('usage', `there is no ${name} to set`, {
        where: '--set',
        fix: didYouMean(
          node,
          placeholders.map((other) => other.name),
        ),
      });
    }
    return { node, value: Number(value), why: 'set by the user' };
  });
  const pins = new Map(given.map((flag) => [flag.node, flag.value]));
  return [...given, ...findFlags(graph, new Shapes(graph), outputs, pins)];
}

/** Puts what the user says of a batch norm's statistics in place of what was found. */
function mapped(
  sites: readonly BatchNorm[],
  variables: Variables,
  weights: Weights | undefined,
  map: NonNullable<FreezeOptions['map']>,
): BatchNorm[] {
  const rules = Object.entries(map).map(([name, pair]) => ({ name, isMeant: matcher([name]), pair, used: false }));
  const result = sites.map((site): BatchNorm => {
    const rule = rules.find(({ isMeant }) => isMeant(site.name));
    if (!rule) return site;
    rule.used = true;
    const [mean, variance] = rule.pair.map((name) => namedVariable(name, variables, weights));
    const evidence = { kind: 'map', text: `--map: ${rule.pair.join(', ')}` } as const;
    return {
      ...site,
      statistics: { mean: mean!, variance: variance!, evidence },
      problem: undefined,
      exempt: undefined,
    };
  });
  const unused = rules.find((rule) => !rule.used);
  if (unused) {
    throw new BnfixError('usage', `there is no batch norm ${unused.name}`, {
      where: '--map',
      fix:
        didYouMean(
          unused.name,
          sites.map((site) => site.name),
        ) ??
        `batch norms: ${sites
          .slice(0, 8)
          .map((site) => site.name)
          .join(', ')}`,
    });
  }
  return result;
}

function namedVariable(name: string, variables: Variables, weights: Weights | undefined): Variable {
  const node = name.replace(/:0$/, '');
  const known = variables.byNode.get(node) ?? [...variables.byNode.values()].find((variable) => variable.key === node);
  if (known) return known;
  const entry = weights?.entries.get(node);
  if (entry)
    return { node, kind: 'ref', dtype: entry.dtype, shape: entry.shape, key: node, slice: undefined, evidence: 'name' };
  throw new BnfixError('usage', `there is no variable or checkpoint key ${name}`, {
    where: '--map',
    fix: didYouMean(node, [...variables.byNode.keys(), ...(weights?.entries.keys() ?? [])]),
  });
}

/** Names and globs: `*` and `?` do not stop at slashes. */
function matcher(patterns: readonly string[]): (name: string) => boolean {
  const quote = (text: string) =>
    text
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.');
  const expressions = patterns.map((pattern) => new RegExp(`^${quote(pattern.replace(/:0$/, ''))}$`));
  return (name) => expressions.some((expression) => expression.test(name));
}

function placeholders(graph: Graph): TensorRef[] {
  const nodes = [...graph.nodes()].filter((node) => /^Placeholder(V2|WithDefault)?$/.test(node.op));
  return nodes.map((node) => ({ node: node.name, port: 0 }));
}

function tensorInfos(graph: Graph, refs: readonly TensorRef[]): TensorInfo[] {
  const shapes = new Shapes(graph);
  return refs.map((ref) => {
    const node = graph.get(ref.node);
    const dtype = outputTypes(node)?.[ref.port] ?? attrType(node, 'T') ?? DataType.DT_INVALID;
    return { name: `${ref.node}:${ref.port}`, dtype: dtypeName(dtype), shape: shapes.of(ref) };
  });
}

/** The sites on the way to an output: those that were rewired or left with a reason, and those in inference mode. */
function judgedSites(context: PassContext, passes: readonly PassRun[]): BatchNorm[] {
  const run = passes.find(({ pass }) => pass === 'rewire_batch_norms');
  const judged = new Set([...(run?.changed ?? []), ...(run?.skipped ?? [])].map((remark) => remark.node));
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

function notesOf(graph: Graph): string[] {
  const random = [...graph.nodes()].filter((node) =>
    /^(Stateless)?Random|^Multinomial$|^TruncatedNormal$/.test(node.op),
  );
  if (random.length === 0) return [];
  return [
    `random ops are left, the answers vary: ${random
      .map((node) => node.name)
      .slice(0, 5)
      .join(', ')}`,
  ];
}
