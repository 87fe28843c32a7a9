import type { Analysis } from '../freezing/analysis.js';
import { attr } from '../graph/attrs.js';
import type { Graph } from '../graph/graph.js';
import type { TensorRef } from '../graph/node.js';
import { ancestors } from '../graph/walk.js';
import { type FreezePlan, type Pass, replacingVariables } from '../passes/pass.js';
import { FREEZE_PIPELINE, runPipeline } from '../passes/pipeline.js';
import { rewireBatchNorms } from '../passes/rewire_batch_norms.js';
import { useBatchMoments } from './batch_moments.js';
import { refuseSite } from './refuse_site.js';
import { isKnown, type Site } from './sites.js';

/** The graphs that a calibration runs. */
export interface SampledGraphs {
  /** Computes the inputs of the batch norms. */
  readonly sampled: Graph;
  /** Computes the statistics that show what they are; undefined if all are known. */
  readonly training: Graph | undefined;
}

/** @throws BnfixError `unsupported` for a batch norm that cannot be put into training mode, if that is wanted */
export function graphsFor(analysis: Analysis, sites: readonly Site[], parallel: boolean): SampledGraphs {
  const samples = sites.flatMap((site) => site.samples.map(({ tensor }) => tensor));
  const unknown = sites.filter((site) => !isKnown(site));
  const toRecognise = unknown.flatMap(({ samples: own, statistics }) => [
    ...own.map(({ tensor }) => tensor),
    ...statistics.flatMap(({ tensor }) => tensor ?? []),
  ]);
  const training = unknown.length > 0 ? trainingGraph(analysis, toRecognise, []) : undefined;
  if (!parallel) return { sampled: inferenceGraph(analysis, samples), training };
  const fused = sites.filter(({ isTraining, isFused }) => !isTraining && isFused).map(({ name }) => name);
  const sampled = trainingGraph(analysis, samples, fused);
  for (const site of sites.filter(({ isTraining, isFused }) => !isTraining && !isFused)) {
    if (isShared(site, sites) || !useBatchMoments(sampled, site)) throw refuseSite(site.name, 'stored');
  }
  return { sampled, training };
}

/** Whether another batch norm has the same statistics. */
function isShared(site: Site, sites: readonly Site[]): boolean {
  const own = new Set(site.statistics.map(({ place }) => place.node));
  return sites.some((other) => other !== site && other.statistics.some(({ place }) => own.has(place.node)));
}

/** As the graph will be frozen, up to some tensors; but fused batch norms stay as they are. */
const TRAINING = FREEZE_PIPELINE.filter((pass) => pass !== rewireBatchNorms);

/** The part of a graph that computes some tensors, with stored statistics: the passes of `freeze` make it. */
function inferenceGraph(analysis: Analysis, tensors: readonly TensorRef[]): Graph {
  return made(analysis, tensors, FREEZE_PIPELINE, analysis.plan);
}

/**
 * The part of a graph that computes some tensors, with batch statistics. Dropouts are off, and corrections of batch renormalisation are
 * what they converge to.
 * @param fused - fused batch norms to put into training mode
 */
function trainingGraph(analysis: Analysis, tensors: readonly TensorRef[], fused: readonly string[]): Graph {
  const replacements = analysis.plan.replacements.filter(({ role }) => role !== 'statistic');
  const graph = made(analysis, tensors, TRAINING, { ...analysis.plan, replacements });
  for (const name of fused) {
    const node = graph.find(name);
    if (node) graph.setAttr(node, 'is_training', attr.bool(true));
  }
  return graph;
}

function made(
  { graph: prepared, outputs, plan }: Analysis,
  tensors: readonly TensorRef[],
  passes: readonly Pass[],
  edits: FreezePlan,
): Graph {
  const names = [
    ...[...outputs.refs, ...tensors].map(({ node }) => node),
    ...replacingVariables(plan).map(({ node, row }) => row?.read.node ?? node),
    ...plan.tables.map(({ initializer }) => initializer),
  ];
  const graph = prepared.copy(ancestors(prepared, names));
  runPipeline(passes, { ...edits, graph, outputs: tensors });
  return graph;
}
