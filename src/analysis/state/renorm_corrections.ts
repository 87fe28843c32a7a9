import type { Graph } from '../../graph/graph.js';
import { refText, type TensorRef } from '../../graph/node.js';
import type { NodeSet } from '../../graph/node_set.js';
import { ARITHMETIC, ELEMENT_PRESERVING_OPS, evaluate } from '../values/evaluate.js';
import type { Follower, Updates } from './moving_averages.js';
import type { Variables } from './variables.js';

/** A tensor that is 1 or 0 once a variable has come to what it follows: r and d of batch renormalisation. */
export interface Correction {
  readonly ref: TensorRef;
  readonly value: 0 | 1;
  /** Shape of the variable, which is the correction's. */
  readonly shape: readonly number[];
}

const MAX_STEPS = 60;

/**
 * Finds the corrections of batch renormalisation (Ioffe 2017): tensors made of a batch statistic and of a variable that
 * follows it in training only, which are 1 (r) or 0 (d) when both agree, whatever the statistic is.
 */
export function findCorrections(
  graph: Graph,
  variables: Variables,
  updates: Updates,
  activations: NodeSet,
): Correction[] {
  const known: Known = {
    bases: new Set(updates.followers.map(({ base }) => refText(base))),
    followers: new Map(updates.followers.map((follower) => [follower.variable, follower])),
    settled: updates.settled,
  };
  const between = new Set([...updates.averages.values()].flat().flatMap((average) => average.via));
  const found = new Map<string, Correction>();
  for (const node of between) {
    const variable = variables.byNode.get(node);
    if (!variable?.shape || variable.shape.length === 0) continue;
    for (const ref of arithmeticOn(graph, variables, node)) {
      if (!isOfStatistics(graph, activations, known.bases, ref)) continue;
      const values = [0.3, 1.1, 2.7].map((scale) => atEquilibrium(graph, variables, known, ref, scale));
      const value = values.every((x) => Math.abs(x - 1) < 1e-9)
        ? 1
        : values.every((x) => Math.abs(x) < 1e-9)
          ? 0
          : undefined;
      if (value !== undefined) found.set(refText(ref), { ref, value, shape: variable.shape });
    }
  }
  return [...found.values()];
}

/** What is known of leaves when every variable has come to what it follows. */
interface Known {
  readonly bases: ReadonlySet<string>;
  readonly followers: ReadonlyMap<string, Follower>;
  readonly settled: ReadonlyMap<string, number>;
}

/** Tensors that arithmetic makes of the plain value of a variable. */
function arithmeticOn(graph: Graph, variables: Variables, variable: string): TensorRef[] {
  const handle = { node: variable, port: 0 };
  const reads =
    variables.byNode.get(variable)?.kind === 'resource' ? graph.consumers(handle).map((node) => node.name) : [variable];
  const seen = new Set(reads);
  const found: TensorRef[] = [];
  for (const name of seen) {
    if (seen.size > MAX_STEPS) break;
    for (const node of graph.dataConsumers(name)) {
      if (!(node.op in ARITHMETIC) && !ELEMENT_PRESERVING_OPS.has(node.op)) continue;
      if (node.op in ARITHMETIC || node.op === 'StopGradient') found.push({ node: node.name, port: 0 });
      seen.add(node.name);
    }
  }
  return found;
}

/** Whether of all that is fed, statistics alone decide a tensor: what data itself decides is no correction. */
function isOfStatistics(graph: Graph, activations: NodeSet, bases: ReadonlySet<string>, ref: TensorRef): boolean {
  const seen = new Map([[refText(ref), ref]]);
  for (const [key, at] of seen) {
    const node = graph.find(at.node);
    if (bases.has(key) || !activations.has(node)) continue;
    const opens = node && (node.op in ARITHMETIC || ELEMENT_PRESERVING_OPS.has(node.op)) && node.inputs.length > 0;
    if (!opens || seen.size > MAX_STEPS) return false;
    for (const input of node.inputs) seen.set(refText(input), input);
  }
  return true;
}

/** The value of a tensor when every variable has come to what it follows; statistics differ with `scale`. */
function atEquilibrium(graph: Graph, variables: Variables, known: Known, ref: TensorRef, scale: number): number {
  const statistic = (base: TensorRef) => scale * (1 + (hash(refText(base)) % 97) / 50);
  return evaluate(graph, ref, (leaf) => {
    const key = refText(leaf);
    if (known.bases.has(key)) return statistic(leaf);
    const variable = variables.readBy(leaf)?.node;
    if (variable === undefined) return undefined;
    const settled = known.settled.get(variable);
    if (settled !== undefined) return settled;
    const follower = known.followers.get(variable);
    return follower?.limit(statistic(follower.base));
  });
}

function hash(text: string): number {
  let value = 7;
  for (let i = 0; i < text.length; i++) value = (value * 31 + text.charCodeAt(i)) % 1_000_003;
  return value;
}
