import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/node.js';
import { ancestors } from '../graph/walk.js';
import { components } from './components.js';
import type { ChannelAxes } from './layout.js';
import { type Place, placeId } from './places.js';
import type { Quantity } from './quantity.js';

/** A tensor to sample, and the batch norm whose input it is. */
export interface GroupSample {
  readonly site: string;
  /** `name:port`. */
  readonly tensor: string;
  readonly axes: ChannelAxes;
}

/** A statistic to compute. */
export interface GroupStatistic {
  readonly place: Place;
  readonly quantity: Quantity;
}

/** Batch norms that share their statistics: towers, or one that is used several times. */
export interface Group {
  readonly samples: readonly GroupSample[];
  readonly statistics: readonly GroupStatistic[];
}

/** A batch norm with its sample and the quantities of its statistics. */
export interface ResolvedSite {
  readonly sample: GroupSample;
  readonly statistics: readonly GroupStatistic[];
}

/** Joins batch norms that share a statistic. */
export function groupSites(sites: readonly ResolvedSite[]): Group[] {
  const byPlace = new Map<string, ResolvedSite[]>();
  const joined = new Map<ResolvedSite, ResolvedSite[]>();
  for (const site of sites) {
    let own = [site];
    for (const { place } of site.statistics) {
      const other = byPlace.get(placeId(place));
      if (other && !other.includes(site)) own = other.concat(own.filter((each) => !other.includes(each)));
    }
    for (const each of own) {
      joined.set(each, own);
      for (const { place } of each.statistics) byPlace.set(placeId(place), own);
    }
  }
  return [...new Set(joined.values())].map((members) => {
    const statistics = new Map<string, GroupStatistic>();
    for (const each of members.flatMap((member) => member.statistics)) {
      const key = `${placeId(each.place)} ${each.place.node}`;
      if (!statistics.has(key)) statistics.set(key, each);
    }
    return { samples: members.map(({ sample }) => sample), statistics: [...statistics.values()] };
  });
}

/** Groups that can be calibrated at the same time. */
export interface Stage {
  readonly groups: readonly Group[];
  /** Whether their inputs depend on their own statistics: a batch norm that is used again behind itself, as in an unrolled RNN. */
  readonly isCyclic: boolean;
}

/**
 * The order in which groups are calibrated: each after all whose statistics change its input.
 * @param graph - with the stored statistics in use, and its variables frozen
 */
export function stagesOf(graph: Graph, groups: readonly Group[]): Stage[] {
  const samplers = new Map<string, Group[]>();
  const owners = new Map<string, Group>();
  const nodeOf = (tensor: string) => tensor.slice(0, tensor.lastIndexOf(':'));
  for (const group of groups) {
    for (const { place } of group.statistics) owners.set(place.node, group);
    for (const { tensor } of group.samples) {
      const node = nodeOf(tensor);
      samplers.set(node, [...(samplers.get(node) ?? []), group]);
    }
  }
  const feeding = ancestors(graph, samplers.keys(), false);
  // Besides its inputs, a statistic depends on the samples that it is computed from.
  const sampled = (node: Node) => {
    const group = owners.get(node.name);
    return group ? group.samples.flatMap(({ tensor }) => graph.find(nodeOf(tensor)) ?? []) : [];
  };
  const inputs = (node: Node) => [...graph.inputNodes(node).flatMap((input) => input ?? []), ...sampled(node)];
  const levels = new Map<Node, number>();
  const stages = new Map<number, { plain: Group[]; cyclic: Group[] }>();
  const placed = new Set<Group>();
  const place = (group: Group, level: number, kind: 'plain' | 'cyclic') => {
    if (placed.has(group)) return;
    placed.add(group);
    const stage = stages.get(level) ?? { plain: [], cyclic: [] };
    stage[kind].push(group);
    stages.set(level, stage);
  };
  for (const component of components([...feeding], inputs)) {
    const own = new Set(component);
    let level = 0;
    for (const node of component) {
      for (const input of inputs(node)) if (!own.has(input)) level = Math.max(level, levels.get(input) ?? 0);
    }
    const members = component.flatMap((node) => owners.get(node.name) ?? []);
    for (const group of members) place(group, level, component.length > 1 ? 'cyclic' : 'plain');
    // What reads a statistic comes after its group.
    for (const node of component) levels.set(node, members.length > 0 ? level + 1 : level);
  }
  // Statistics that change no sample: those of the last batch norms.
  const lastLevel = (group: Group) =>
    Math.max(0, ...group.samples.map(({ tensor }) => levels.get(graph.get(nodeOf(tensor))) ?? 0));
  for (const group of groups) place(group, lastLevel(group), 'plain');
  return [...stages]
    .sort(([a], [b]) => a - b)
    .flatMap(([, { plain, cyclic }]) => [
      ...(plain.length > 0 ? [{ groups: plain, isCyclic: false }] : []),
      ...(cyclic.length > 0 ? [{ groups: cyclic, isCyclic: true }] : []),
    ]);
}

/** The tensors that groups are sampled at, each once. */
export function tensorsOf(groups: readonly Group[]): string[] {
  return [...new Set(groups.flatMap(({ samples }) => samples.map(({ tensor }) => tensor)))];
}
