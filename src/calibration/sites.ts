import type { Variable } from '../analysis/state/variables.js';
import type { BatchNorm } from '../analysis/training/batch_norms.js';
import type { Replacement } from '../analysis/training/replacements.js';
import type { Stored } from '../analysis/training/stored_statistics.js';
import { constantInts } from '../analysis/values/constants.js';
import type { AnalysedBatchNorm, Analysis, StoredBatchNorm } from '../freezing/analysis.js';
import { attrString } from '../graph/attrs.js';
import type { Graph } from '../graph/graph.js';
import type { Node, TensorRef } from '../graph/node.js';
import type { NodeSet } from '../graph/node_set.js';
import { ancestors } from '../graph/walk.js';
import { anyOf } from '../ops/meaning.js';
import type { ChannelAxes } from './layout.js';
import { constantPlace, type Place, placeId, placeOf, placeReadBy } from './places.js';
import type { Quantity } from './quantity.js';
import { refuseSite } from './refuse_site.js';
import { sampleOfRoot } from './sample_of_root.js';

/** A tensor whose moments are the statistics of a batch norm. */
export interface Sample {
  readonly tensor: TensorRef;
  readonly axes: ChannelAxes;
}

/** A stored statistic of a batch norm. */
export interface SiteStatistic {
  readonly place: Place;
  /** What it is; undefined where the value of `tensor`, which training averages, has to show it. */
  readonly quantity: Quantity | undefined;
  /** The batch statistic in whose place it is used. */
  readonly tensor: TensorRef | undefined;
}

/** A batch norm whose statistics can be computed from data. */
export interface Site {
  readonly name: string;
  /** The first of which the statistics prove to be moments is used. */
  readonly samples: readonly Sample[];
  readonly statistics: readonly SiteStatistic[];
  /** Whether it uses batch statistics in the saved graph. */
  readonly isTraining: boolean;
  readonly isFused: boolean;
}

/** Whether what a batch norm stores is known without running the graph. */
export function isKnown({ statistics }: Site): boolean {
  return statistics.every(({ quantity }) => quantity !== undefined);
}

/**
 * The batch norms that feed an output and whose statistics have a place, in file order; those in training mode that have none are
 * left out.
 * @throws BnfixError `unsupported` for one whose statistics cannot be computed
 */
export function findSites(analysis: Analysis, isSelected: (name: string) => boolean): Site[] {
  const averaged = averagedStatistics(analysis);
  const sites: Site[] = [];
  for (const batchNorm of analysis.batchNorms) {
    if (batchNorm.isKept || !isSelected(batchNorm.name)) continue;
    const { status, unfused } = batchNorm;
    if (status.kind === 'inference') sites.push(fusedAtInference(analysis, batchNorm));
    else if (status.kind === 'paired' && !unfused) sites.push(fusedInTraining(analysis, batchNorm));
    else if (status.kind === 'paired' || status.kind === 'averaged_in_parts') {
      const own = averaged.get(batchNorm.name) ?? [];
      if (own.length > 0) sites.push(unfusedInTraining(analysis, batchNorm, own));
    }
  }
  const known = new Set(sites.flatMap(({ statistics }) => statistics.map(({ place }) => placeId(place))));
  const ends = analysis.outputs.refs.map(({ node }) => node);
  const feeding = ancestors(analysis.graph, ends, false);
  for (const stored of analysis.stored) {
    if (!stored.isBatchNorm || !isSelected(stored.name)) continue;
    // Quantisation-aware training folds a batch norm by arithmetic on its statistics.
    if (known.has(placeId(storedPlace(analysis, stored.norm.variance)))) continue;
    sites.push(unfusedAtInference(analysis, stored, feeding));
  }
  const order = new Map([...analysis.graph.nodes()].map(({ name }, i) => [name, i]));
  return sites.sort((a, b) => order.get(a.name)! - order.get(b.name)!);
}

function fusedInTraining({ graph, model }: Analysis, batchNorm: AnalysedBatchNorm): Site {
  const { name, status } = batchNorm;
  if (status.kind !== 'paired') throw refuseSite(name, 'not_paired');
  const { mean, variance, evidence } = status.statistics;
  // What training averages may be its variance without Bessel's correction.
  const averaged = evidence.kind === 'update op' ? evidence.tensors[1] : undefined;
  const isOwn = averaged === undefined || (averaged.node === name && averaged.port === 2);
  return {
    name,
    samples: samplesOf(graph, batchNorm),
    statistics: [
      { place: placeOf(mean, model.checkpoint), quantity: 'mean', tensor: undefined },
      {
        place: placeOf(variance, model.checkpoint),
        quantity: isOwn ? 'unbiased_variance' : undefined,
        tensor: averaged,
      },
    ],
    isTraining: true,
    isFused: true,
  };
}

function fusedAtInference({ graph, model, variables }: Analysis, batchNorm: AnalysedBatchNorm): Site {
  const { name } = batchNorm;
  const node = graph.get(name);
  const [mean, variance] = [3, 4].map((index) => placeReadBy(graph, variables, node.inputs[index]!, model.checkpoint));
  if (!mean || !variance) throw refuseSite(name, 'computed');
  return {
    name,
    samples: samplesOf(graph, batchNorm),
    statistics: [
      { place: mean, quantity: 'mean', tensor: undefined },
      { place: variance, quantity: 'unbiased_variance', tensor: undefined },
    ],
    isTraining: false,
    isFused: true,
  };
}

/** The tensors whose moments may be the statistics of a batch norm, the likeliest first. */
export function samplesOf(graph: Graph, { name, unfused, x }: BatchNorm): Sample[] {
  if (!unfused) return [{ tensor: x, axes: axesOf(graph.get(name)) }];
  const reductions = unfused.reductions.map((reduction) => graph.get(reduction));
  // What is reduced may be shifted or squared.
  const samples = reductions.flatMap((node): Sample[] => {
    const axes = reducedAxes(graph, node);
    return [x, node.inputs[0]!].map((tensor) => ({ tensor, axes }));
  });
  const seen = new Set<string>();
  const isNew = (sample: Sample) => {
    const key = JSON.stringify(sample);
    return !seen.has(key) && seen.add(key);
  };
  return samples.filter(isNew);
}

function axesOf(fused: Node): ChannelAxes {
  return { kind: attrString(fused, 'data_format')?.startsWith('NC') === true ? 'second' : 'last' };
}

/** A batch statistic that a variable replaces. */
interface Averaged {
  readonly tensor: TensorRef;
  readonly variable: Variable;
}

function unfusedInTraining(
  { graph, model }: Analysis,
  batchNorm: AnalysedBatchNorm,
  averaged: readonly Averaged[],
): Site {
  return {
    name: batchNorm.name,
    samples: samplesOf(graph, batchNorm),
    statistics: averaged.map(({ tensor, variable }) => ({
      place: placeOf(variable, model.checkpoint),
      quantity: undefined,
      tensor,
    })),
    isTraining: true,
    isFused: false,
  };
}

/** Which axes a reduction keeps; if they are known only at run time, all but the last are reduced. */
function reducedAxes(graph: Graph, reduction: Node): ChannelAxes {
  const reduced = constantInts(graph, reduction.inputs[1]);
  return reduced ? { kind: 'not', reduced } : { kind: 'last' };
}

const averages = anyOf('average');

/** The batch statistics that variables replace, by the unfused batch norm whose reductions they are computed from. */
function averagedStatistics({ graph, plan, batchNorms }: Analysis): Map<string, Averaged[]> {
  const owners = new Map<string, string>();
  for (const { name, unfused } of batchNorms) {
    for (const reduction of unfused?.reductions ?? []) if (!owners.has(reduction)) owners.set(reduction, name);
  }
  const found = new Map<string, Averaged[]>();
  for (const replacement of plan.replacements) {
    const { tensor, by, role } = replacement;
    if (role !== 'statistic' || !('variable' in by)) continue;
    const owner = ownerOf(graph, replacement, owners);
    if (owner === undefined) continue;
    found.set(owner, [...(found.get(owner) ?? []), { tensor, variable: by.variable }]);
  }
  return found;
}

/** The batch norm whose reduction is the nearest before a statistic. */
function ownerOf(graph: Graph, { tensor }: Replacement, owners: ReadonlyMap<string, string>): string | undefined {
  const seen = new Set([tensor.node]);
  for (const name of seen) {
    const owner = owners.get(name);
    if (owner !== undefined) return owner;
    const node = graph.get(name);
    if (!averages(node)) for (const ref of node.inputs) seen.add(ref.node);
  }
  return undefined;
}

function unfusedAtInference(analysis: Analysis, { name, norm }: StoredBatchNorm, feeding: NodeSet): Site {
  const { graph } = analysis;
  const sample = sampleOfRoot(graph, graph.get(name), feeding);
  if (!sample || !norm.mean) throw refuseSite(name, 'input_not_found');
  return {
    name,
    samples: [sample],
    statistics: [
      { place: storedPlace(analysis, norm.mean), quantity: 'mean', tensor: undefined },
      { place: storedPlace(analysis, norm.variance), quantity: 'variance', tensor: undefined },
    ],
    isTraining: false,
    isFused: false,
  };
}

function storedPlace({ model }: Analysis, stored: Stored): Place {
  if (stored.kind === 'variable') return placeOf(stored.variable, model.checkpoint);
  return constantPlace(stored.node, stored.tensor);
}
