import type { Graph } from '../../graph/graph.js';
import type { Checkpoint } from '../../graph/model.js';
import { type Node, refText, type TensorRef } from '../../graph/node.js';
import type { NodeSet } from '../../graph/node_set.js';
import { ancestors } from '../../graph/walk.js';
import { anyOf } from '../../ops/meaning.js';
import { isUntouched } from '../state/health.js';
import type { MovingAverage } from '../state/moving_average.js';
import { finalAverages, type Updates } from '../state/moving_averages.js';
import type { Statistics } from '../state/statistics.js';
import { isSameVariable, type Variable, type Variables } from '../state/variables.js';
import { Shapes } from '../values/shapes.js';
import { isTrainingFused } from './batch_statistics.js';
import { EvidenceFinder } from './evidence.js';
import { findUnfused, type UnfusedPattern } from './unfused.js';

/** A batch norm: one FusedBatchNorm op (V1, V2, V3), or an unfused one. */
export interface BatchNorm {
  /** The op; for an unfused batch norm, the one that takes the root of the variance. */
  readonly name: string;
  /** The op, or `unfused`. */
  readonly pattern: string;
  /** The activation that it normalises. */
  readonly x: TensorRef;
  /** Its scale and offset, if any. */
  readonly parameters: readonly TensorRef[];
  /** Its batch statistics, if it is unfused. */
  readonly unfused: UnfusedPattern | undefined;
  readonly status: BatchNormStatus;
}

/** What a batch norm normalises with, now and at inference. */
export type BatchNormStatus =
  /** Already with moving statistics. */
  | { readonly kind: 'inference' }
  /** With batch statistics; these are its moving statistics. */
  | { readonly kind: 'paired'; readonly statistics: Statistics }
  /** With batch statistics; variables average parts of it, not its mean and variance themselves. */
  | { readonly kind: 'averaged_in_parts'; readonly reason: UnpairedReason }
  /** Each example by itself, intentionally: it must not change. */
  | { readonly kind: 'per_example'; readonly reason: 'layer_normalization' | 'batch_of_one' }
  /** With batch statistics; no evidence pairs it with moving statistics. */
  | { readonly kind: 'unpaired'; readonly reason: UnpairedReason };

/** Why its moving statistics are not certain. */
export type UnpairedReason =
  /** No variable averages its mean and variance; the update expressions `truncated` were too long to analyse. */
  | { readonly code: 'no_average'; readonly truncated: readonly string[] }
  /** Its statistics are rows of variables, and inference does not know which. */
  | { readonly code: 'unknown_row'; readonly variables: readonly string[] }
  | { readonly code: 'several_averages'; readonly variables: readonly string[] }
  /** One variable averages both its mean and its variance: it holds neither. */
  | { readonly code: 'shared_average'; readonly variable: string }
  /** Its moving averages are copied or averaged once more: inference may read any of these pairs. */
  | { readonly code: 'copied_averages'; readonly pairs: readonly (readonly [mean: string, variance: string])[] }
  | { readonly code: 'mean_not_found' };

/**
 * Finds all batch norms of a graph, in file order, and pairs those that use batch statistics with their moving statistics.
 */
export function findBatchNorms(
  graph: Graph,
  variables: Variables,
  checkpoint: Checkpoint | undefined,
  activations: NodeSet,
  updates: Updates,
  outputs: readonly TensorRef[],
): BatchNorm[] {
  const shapes = new Shapes(graph);
  const unfused = new Map(
    findUnfused(graph, shapes, activations, updates.averages).map((pattern) => [pattern.name, pattern]),
  );
  const feeding = ancestors(
    graph,
    outputs.map(({ node }) => node),
    false,
  );
  const evidence = new EvidenceFinder(graph, variables, checkpoint, shapes, updates, feeding);
  const pairing: Pairing = { graph, variables, updates, shapes };
  const found: BatchNorm[] = [];
  for (const node of graph.nodes()) {
    const pattern = unfused.get(node.name);
    if (isFused(node)) found.push(fusedBatchNorm(pairing, node));
    else if (pattern) found.push(unfusedBatchNorm(pairing, pattern));
  }
  // Batch norms without update ops come last: the others may be their siblings.
  for (const { name, parameters, status } of found) {
    if (status.kind === 'paired') evidence.remember({ name, parameters }, status.statistics);
  }
  const all = found.map((batchNorm) => adopted(pairing, evidence, batchNorm));
  const guessed = all.flatMap(({ name, parameters, status }) =>
    status.kind === 'paired' && GUESSES.has(status.statistics.evidence.kind)
      ? [{ name, parameters, statistics: status.statistics }]
      : [],
  );
  const contested = evidence.contested(guessed);
  return all.map((batchNorm, i) => (contested.has(batchNorm.name) ? found[i]! : batchNorm));
}

const GUESSES: ReadonlySet<Statistics['evidence']['kind']> = new Set(['name', 'shape']);

const isFused = anyOf('fused_batch_norm');

interface Pairing {
  readonly graph: Graph;
  readonly variables: Variables;
  readonly updates: Updates;
  readonly shapes: Shapes;
}

function fusedBatchNorm(pairing: Pairing, node: Node): BatchNorm {
  const parameters = node.inputs.slice(1, 3);
  const status = fusedStatus(pairing, node);
  return { name: node.name, pattern: node.op, x: node.inputs[0]!, parameters, unfused: undefined, status };
}

function fusedStatus(pairing: Pairing, node: Node): BatchNormStatus {
  if (!isTrainingFused(node)) return { kind: 'inference' };
  const own = averagesOf(pairing, [{ node: node.name, port: 1 }], [{ node: node.name, port: 2 }]);
  if (own.kind === 'paired') return own;
  const read = readAlready(pairing, node);
  return read && !CONTRADICTS.has(own.reason.code) ? { kind: 'paired', statistics: read } : own;
}

/** Reasons for which its update ops contradict the variables that it reads. */
const CONTRADICTS: ReadonlySet<UnpairedReason['code']> = new Set(['several_averages', 'shared_average']);

/** Reasons for which no average may replace a part of it either. */
const MISLEADS: ReadonlySet<UnpairedReason['code']> = new Set(['copied_averages', 'shared_average']);

function unfusedBatchNorm(pairing: Pairing, unfused: UnfusedPattern): BatchNorm {
  const { name, x, parameters } = unfused;
  return { name, pattern: 'unfused', x, parameters, unfused, status: unfusedStatus(pairing, unfused) };
}

function unfusedStatus(pairing: Pairing, { mean, variance, reductions }: UnfusedPattern): BatchNormStatus {
  const own: BatchNormStatus =
    mean.length === 0 ? { kind: 'unpaired', reason: { code: 'mean_not_found' } } : averagesOf(pairing, mean, variance);
  if (own.kind !== 'unpaired' || MISLEADS.has(own.reason.code)) return own;
  // If variables average parts of it, they replace those parts; names would only mislead.
  const parts = [...mean.map(refText), ...variance.map(refText), ...reductions];
  const inParts = parts.some((part) => pairing.updates.averages.has(part));
  return inParts ? { kind: 'averaged_in_parts', reason: own.reason } : own;
}

/** The variables that average the tensors of a mean and a variance. */
function averagesOf(
  { updates }: Pairing,
  means: readonly TensorRef[],
  variances: readonly TensorRef[],
): Extract<BatchNormStatus, { kind: 'paired' | 'unpaired' }> {
  const [mean, variance] = [means, variances].map((refs) =>
    finalAverages(refs.flatMap((ref) => updates.averages.get(refText(ref)) ?? [])),
  ) as [MovingAverage[], MovingAverage[]];
  if (mean.length > 1 || variance.length > 1) {
    const names = [...mean, ...variance].map((average) => average.variable.node);
    return { kind: 'unpaired', reason: { code: 'several_averages', variables: names } };
  }
  const [m, v] = [mean[0], variance[0]];
  if (!m || !v) {
    const rows = [...means, ...variances].flatMap((ref) => updates.unknownRows.get(refText(ref))?.node ?? []);
    if (rows.length > 0) return { kind: 'unpaired', reason: { code: 'unknown_row', variables: [...new Set(rows)] } };
    return { kind: 'unpaired', reason: { code: 'no_average', truncated: [...updates.truncated] } };
  }
  if (isSameVariable(m.variable, v.variable)) {
    return { kind: 'unpaired', reason: { code: 'shared_average', variable: m.variable.node } };
  }
  const pairs = pairsWith(updates, m.variable, v.variable);
  if (pairs.length > 1) return { kind: 'unpaired', reason: { code: 'copied_averages', pairs } };
  const evidence = {
    kind: 'update op',
    assigns: [m.assign, v.assign],
    tensors: [m.statistic, v.statistic],
  } as const;
  return { kind: 'paired', statistics: { mean: m.variable, variance: v.variable, evidence } };
}

/** A mean and a variance, and the pairs of variables that inference may read in place of them. */
function pairsWith({ rivals }: Updates, mean: Variable, variance: Variable): [mean: string, variance: string][] {
  const [means, variances] = [mean, variance].map((own) => [own, ...(rivals.get(own.node) ?? [])]) as [
    Variable[],
    Variable[],
  ];
  const count = Math.max(means.length, variances.length);
  return Array.from({ length: count }, (_, i) => [(means[i] ?? mean).node, (variances[i] ?? variance).node]);
}

/** TF 2 passes the moving statistics to inputs 3 and 4 in training mode as well. */
function readAlready({ variables }: Pairing, node: Node): Statistics | undefined {
  const [mean, variance] = [3, 4].map((index) => node.inputs[index] && variables.valueAt(node.inputs[index]));
  if (!mean || !variance) return undefined;
  // Constants of 0 and 1 are not statistics.
  const isFiller = [mean, variance].every(({ value }) => value && isUntouched(value));
  return isFiller ? undefined : { mean, variance, evidence: { kind: 'input' } };
}

/**
 * An unpaired batch norm with statistics found by siblings, names or shapes. Without such evidence, one whose batch is
 * always one example normalises that example intentionally.
 */
function adopted(pairing: Pairing, evidence: EvidenceFinder, batchNorm: BatchNorm): BatchNorm {
  const { name, x, parameters, unfused, status } = batchNorm;
  if (status.kind !== 'unpaired') return batchNorm;
  if (status.reason.code !== 'no_average') return batchNorm;
  const isOfOne = pairing.shapes.of(x)?.[0] === 1;
  const moments = unfused
    ? unfused.reductions.map((node) => ({ node, port: 0 }))
    : [1, 2].map((port) => ({ node: name, port }));
  const described = { name, parameters, statistics: moments };
  const statistics = evidence.find(described, isOfOne);
  if (statistics) return { ...batchNorm, status: { kind: 'paired', statistics } };
  if (!isOfOne || evidence.mayHaveStatistics(described)) return batchNorm;
  const reason = isLayerNormalization(pairing, batchNorm) ? 'layer_normalization' : 'batch_of_one';
  return { ...batchNorm, status: { kind: 'per_example', reason } };
}

const isConstantLike = anyOf('fill', 'constant');

/** Whether a batch of one consists of rows of a batch that was reshaped, without a scale of its own. */
function isLayerNormalization({ graph }: Pairing, { x, parameters, unfused }: BatchNorm): boolean {
  const [scale, offset] = parameters.map(({ node }) => graph.find(node));
  return !unfused && graph.find(x.node)?.op === 'Reshape' && isConstantLike(scale) && isConstantLike(offset);
}
