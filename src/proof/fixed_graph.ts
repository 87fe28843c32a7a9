import { findVariables } from '../analysis/state/variables.js';
import { analyse } from '../freezing/analyse.js';
import type { FreezeOptions } from '../freezing/options.js';
import type { Graph } from '../graph/graph.js';
import type { Model } from '../graph/model.js';
import { tensorName } from '../graph/node.js';
import { savedGraph } from './saved_graph.js';

/**
 * The graph of a repaired model, to be verified: a frozen one as it is, otherwise one with constants in place of its variables.
 * @param original - the model that it was made from, with the options it was made with
 * @throws BnfixError `usage` when it lacks an output of the original, `statistics` when its checkpoint lacks a variable
 */
export function fixedGraph(fixed: Model, original: Model, options: FreezeOptions): Graph {
  const variables = [...findVariables(fixed).byNode.values()];
  if (variables.every(({ value }) => value !== undefined)) return fixed.graph;
  const outputs = analyse(original, options).outputs.refs.map(tensorName);
  return savedGraph(analyse(fixed, { outputs }));
}
