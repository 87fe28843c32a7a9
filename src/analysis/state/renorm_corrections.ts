import type { Graph } from '../../graph/graph.js';
import { refText, type TensorRef } from '../../graph/node.js';
import type { NodeSet } from '../../graph/node_set.js';
import { hasRole, scalarOf } from '../../ops/meaning.js';
import { isElementwise } from './assignments.js';
import type { Updates } from './moving_averages.js';
import { distinctNumber } from './steady_state.js';
import type { Variables } from './variables.js';

/** A tensor that is 1 or 0 once a variable has converged: r and d of batch renormalisation. */
export interface Correction {
  readonly ref: TensorRef;
  readonly value: 0 | 1;
  /** Shape of the variable, and of the correction. */
  readonly shape: readonly number[];
}

/**
 * Finds the corrections of batch renormalisation (Ioffe 2017): tensors computed from a batch statistic and a variable that
 * averages it only for training, which are 1 (r) or 0 (d) when both are equal, whatever the statistic is.
 */
export function findCorrections(
  graph: Graph,
  variables: Variables,
  { averages, steadyState }: Updates,
  activations: NodeSet,
): Correction[] {
  const bases = new Set([...steadyState.converged.values()].map(({ base }) => refText(base)));
  const between = new Set([...averages.values()].flat().flatMap((average) => average.via));
  const found = new Map<string, Correction>();
  for (const node of between) {
    const variable = variables.byNode.get(node);
    if (!variable?.shape || variable.shape.length === 0) continue;
    for (const ref of arithmeticOn(graph, variables, node)) {
      if (!isOfStatistics(graph, activations, bases, ref)) continue;
      const values = [0.3, 1.1, 2.7].map((scale) =>
        steadyState.valueOf(ref, (leaf) => (bases.has(refText(leaf)) ? scale * distinctNumber(leaf) : undefined)),
      );
      const value = ([1, 0] as const).find((wanted) => values.every((x) => Math.abs(x - wanted) < 1e-9));
      if (value !== undefined) found.set(refText(ref), { ref, value, shape: variable.shape });
    }
  }
  return [...found.values()];
}

/** Tensors computed by arithmetic from the plain value of a variable. */
function arithmeticOn(graph: Graph, variables: Variables, variable: string): TensorRef[] {
  const handle = { node: variable, port: 0 };
  const reads =
    variables.byNode.get(variable)?.kind === 'resource' ? graph.consumers(handle).map((node) => node.name) : [variable];
  const seen = new Set(reads);
  const found: TensorRef[] = [];
  for (const name of seen) {
    for (const node of graph.dataConsumers(name)) {
      if (!isElementwise(node)) continue;
      if (scalarOf(node.op) || hasRole(node, 'gradient_barrier')) found.push({ node: node.name, port: 0 });
      seen.add(node.name);
    }
  }
  return found;
}

/** Whether a tensor depends on inputs only through statistics: one that depends on data directly is not a correction. */
function isOfStatistics(graph: Graph, activations: NodeSet, bases: ReadonlySet<string>, ref: TensorRef): boolean {
  const seen = new Map([[refText(ref), ref]]);
  for (const [key, at] of seen) {
    const node = graph.find(at.node);
    if (bases.has(key) || !node || !activations.has(node)) continue;
    if (!isElementwise(node) || node.inputs.length === 0) return false;
    for (const input of node.inputs) seen.set(refText(input), input);
  }
  return true;
}
