import { findCustomOps } from '../analysis/runnable/find_obstacles.js';
import type { Obstacle } from '../analysis/runnable/obstacle.js';
import type { HealthProblem } from '../analysis/state/health.js';
import { attrShape } from '../graph/attrs.js';
import { DataType, isFloat } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import { refText } from '../graph/node.js';
import { elementCount } from '../graph/tensor.js';
import { ancestors } from '../graph/walk.js';
import { anyOf, type OpTest } from '../ops/meaning.js';
import { outputType } from '../ops/registry.js';
import type { Analysis } from './analysis.js';
import { nameMatcher } from './name_matcher.js';
import type { TargetName } from './target_names.js';
import { targetNamed } from './targets.js';

/** Something that the user should know about a result that bnfix considers right. */
export type Notice =
  /** The graph begins where its input pipelines end. */
  | { readonly code: 'cut_at_pipeline'; readonly tensors: readonly string[] }
  /** Variables without a moving average of their own keep their plain value. */
  | { readonly code: 'without_ema'; readonly variables: readonly string[] }
  /** No variable that feeds an output has a moving average: `ema` has no effect. */
  | { readonly code: 'no_ema' }
  /** No value of the checkpoint is in the result. */
  | { readonly code: 'checkpoint_unused'; readonly checkpoint: string }
  /** Outputs that depend on no weight: of a net, nothing is left. `cut`: because of the inputs that the user named. */
  | { readonly code: 'no_weights'; readonly outputs: readonly string[]; readonly cut: boolean }
  /** Outputs that depend on no input: they are constants. */
  | { readonly code: 'no_data'; readonly outputs: readonly string[] }
  /** Random ops feed an output: it differs from run to run. */
  | { readonly code: 'random_ops'; readonly nodes: readonly string[] }
  /** Reductions over the batch feed an output: it may depend on the batch. */
  | { readonly code: 'batch_reductions'; readonly nodes: readonly string[] }
  /** Statistics that were never updated are in use: because the user allows it, or because the graph already used them. */
  | { readonly code: 'untrained_in_use'; readonly batchNorms: readonly string[]; readonly allowed: boolean }
  /** Variables that were never updated are in use as statistics, because the user allows it. */
  | { readonly code: 'untrained_allowed'; readonly variables: readonly string[] }
  /** A batch norm in inference mode has invalid statistics. */
  | { readonly code: 'unhealthy_in_use'; readonly batchNorm: string; readonly problem: HealthProblem }
  /** Placeholders of a single bool stay inputs: what they switch was not detected. */
  | { readonly code: 'flags_left'; readonly placeholders: readonly string[] }
  /** TensorFlow cannot import or run this part of the result, which the user keeps. */
  | { readonly code: 'cannot_run'; readonly obstacle: Obstacle }
  /** Ops that TensorFlow does not define, and a node of each. */
  | { readonly code: 'custom_ops'; readonly ops: readonly string[]; readonly nodes: readonly string[] }
  /** Ops that the program lacks that the result is for, and a node of each. */
  | {
      readonly code: 'target_lacks_ops';
      readonly target: TargetName;
      readonly ops: readonly string[];
      readonly nodes: readonly string[];
    }
  /** Batch norms in functions that could not be inlined are not folded. */
  | { readonly code: 'functions_not_folded'; readonly functions: readonly string[] };

const WARNINGS: ReadonlySet<Notice['code']> = new Set([
  'unhealthy_in_use',
  'untrained_in_use',
  'untrained_allowed',
  'no_ema',
  'flags_left',
  'cannot_run',
  'custom_ops',
  'target_lacks_ops',
  'no_weights',
  'no_data',
]);

/** Whether a notice is a warning: the result may be useless. */
export function isWarning({ code }: Notice): boolean {
  return WARNINGS.has(code);
}

/** Whether a value of the checkpoint is in the result: frozen variables do not need it. */
export function usesCheckpoint({ needed, batchNorms }: Pick<Analysis, 'needed' | 'batchNorms'>): boolean {
  const statistics = batchNorms.flatMap(({ status }) =>
    status.kind === 'paired' ? [status.statistics.mean, status.statistics.variance] : [],
  );
  return [...needed, ...statistics].some(({ value }) => value === undefined);
}

/** The notices about a graph that can be frozen. */
export function noticesOf(analysis: Analysis): Notice[] {
  const { inputs, options, needed, randomOps, batchReductions, batchNorms, unhealthy } = analysis;
  const notices: Notice[] = [];
  if (inputs.source === 'pipeline' && inputs.refs.length > 0) {
    notices.push({ code: 'cut_at_pipeline', tensors: inputs.refs.map(refText) });
  }
  const plain = options.ema ? needed.filter(({ evidence }) => evidence !== 'moving average') : [];
  if (options.ema && plain.length === needed.length) notices.push({ code: 'no_ema' });
  else if (plain.length > 0) notices.push({ code: 'without_ema', variables: plain.map(({ node }) => node) });
  notices.push(...emptyOutputs(analysis));
  const { checkpoint } = analysis.model;
  if (checkpoint && !usesCheckpoint(analysis)) {
    notices.push({ code: 'checkpoint_unused', checkpoint: checkpoint.name });
  }
  if (randomOps.length > 0) notices.push({ code: 'random_ops', nodes: randomOps });
  if (batchReductions.length > 0) notices.push({ code: 'batch_reductions', nodes: batchReductions });
  const untrained = batchNorms.filter(({ isKept, health }) => !isKept && health?.kind === 'untrained');
  const untrainedStored = analysis.stored
    .filter(({ isBatchNorm, health }) => isBatchNorm && health?.kind === 'untrained')
    .map(({ name }) => name);
  for (const allowed of [true, false]) {
    const names = untrained.filter(({ status }) => (status.kind === 'paired') === allowed).map(({ name }) => name);
    if (!allowed) names.push(...untrainedStored);
    if (names.length > 0) notices.push({ code: 'untrained_in_use', batchNorms: names, allowed });
  }
  if (analysis.untrainedAllowed.length > 0) {
    notices.push({ code: 'untrained_allowed', variables: analysis.untrainedAllowed });
  }
  const flags = flagsLeft(analysis);
  if (flags.length > 0) notices.push({ code: 'flags_left', placeholders: flags });
  for (const each of unhealthy) notices.push({ code: 'unhealthy_in_use', ...each });
  return notices;
}

const isPlaceholder = anyOf('placeholder');

/** Placeholders of a single bool that feed an output, and that nobody named as inputs. */
function flagsLeft({ graph, fed, inputs, model, options }: Analysis): string[] {
  const feeding = new Set([...fed.values()].flatMap((names) => [...names]));
  const signatures = Object.values(model.metaGraphDef.signature_def ?? {});
  const named = new Set([
    ...inputs.refs.map(({ node }) => node),
    ...signatures.flatMap(({ inputs: of }) => Object.values(of ?? {}).map(({ name }) => name?.replace(/:0$/, ''))),
  ]);
  const isKept = nameMatcher(options.keep ?? []);
  return [...feeding].filter((name) => {
    const node = graph.find(name);
    if (!node || named.has(name) || isKept(name) || !isPlaceholder(node)) return false;
    const shape = attrShape(node, 'shape');
    return outputType(node, 0) === DataType.DT_BOOL && (shape === undefined || shape.length === 0);
  });
}

/**
 * The notices about a frozen or folded graph itself.
 * @param kept - what the user keeps although TensorFlow cannot run it
 * @param target - the program that it is for
 */
export function noticesOfResult(graph: Graph, kept: readonly Obstacle[], target?: TargetName): Notice[] {
  const notices: Notice[] = kept.map((obstacle) => ({ code: 'cannot_run', obstacle }));
  const custom = findCustomOps(graph);
  if (custom.size > 0) notices.push({ code: 'custom_ops', ops: [...custom.keys()], nodes: [...custom.values()] });
  if (target !== undefined) {
    const lacking = firstOfEach(graph, targetNamed(target).lacks);
    const [ops, nodes] = [[...lacking.keys()], [...lacking.values()]];
    if (ops.length > 0) notices.push({ code: 'target_lacks_ops', target, ops, nodes });
  }
  return notices;
}

/** Ops of a graph that pass a test, and the first node of each. */
function firstOfEach(graph: Graph, isWanted: OpTest): Map<string, string> {
  const found = new Map<string, string>();
  for (const node of graph.nodes()) if (isWanted(node) && !found.has(node.op)) found.set(node.op, node.name);
  return found;
}

const isWeight = anyOf('variable', 'call', 'while', 'if', 'case');

/** Outputs in which nothing of a net is left. */
function emptyOutputs(analysis: Analysis): Notice[] {
  const { outputs, inputs, fedOutputs } = analysis;
  const given = new Set(inputs.refs.map(refText));
  const withoutWeights = outputs.refs.filter((ref) => given.has(refText(ref)) || !hasWeights(analysis, ref.node));
  const fed = new Set(fedOutputs.map(refText));
  const withoutData = outputs.refs.filter((ref) => !fed.has(refText(ref)));
  const cut = inputs.source === 'given';
  return [
    ...(withoutWeights.length > 0 ? [{ code: 'no_weights', outputs: withoutWeights.map(refText), cut } as const] : []),
    ...(withoutData.length > 0 ? [{ code: 'no_data', outputs: withoutData.map(refText) } as const] : []),
  ];
}

/** The means of three channels, or of four, are a part of the preprocessing. */
const MAX_PREPROCESSING = 4;

/** Whether a variable feeds a node, or an array of numbers that may have been one. */
function hasWeights({ graph, variables }: Analysis, output: string): boolean {
  const least = variables.byNode.size === 0 ? 1 : MAX_PREPROCESSING;
  for (const node of ancestors(graph, [output], false)) {
    const { tensor } = node;
    if (isWeight(node) || variables.byNode.has(node.name)) return true;
    if (tensor && isFloat(tensor.dtype) && elementCount(tensor.shape) > least) return true;
  }
  return false;
}
