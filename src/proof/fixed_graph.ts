import { findVariables } from '../analysis/state/variables.js';
import { analyse } from '../freezing/analyse.js';
import { apply } from '../freezing/apply.js';
import { fold } from '../freezing/fold.js';
import { refuseWithoutCheckpoint } from '../freezing/no_checkpoint.js';
import type { FreezeOptions } from '../freezing/options.js';
import type { Graph } from '../graph/graph.js';
import type { Model } from '../graph/model.js';
import { refText, tensorName } from '../graph/node.js';
import { withOriginalNames } from './original_names.js';
import { checkOutputNames, outputCounterparts } from './output_counterparts.js';
import { savedGraph } from './saved_graph.js';

/**
 * The graph of a repaired model, to be verified, with the model's own names of outputs: a frozen one as it is, otherwise one with
 * constants in place of its variables.
 * @param original - the model that it was made from, with the options it was made with
 * @throws BnfixError `usage` when it lacks an output of the original, `statistics` when its checkpoint lacks a variable,
 *   `unreadable` when it has none
 */
export function fixedGraph(fixed: Model, original: Model, options: FreezeOptions): Graph {
  const { outputNames: given = {}, ...others } = options;
  const analysis = analyse(original, others);
  const outputs = analysis.outputs.refs.filter((ref) => !isNamed(given, refText(ref)));
  checkOutputNames(fixed.graph, given);
  const made = () => [apply(analysis).graph, fold(original, others).graph];
  const outputNames = { ...outputCounterparts(fixed.graph, outputs, made), ...given };
  const variables = [...findVariables(fixed).byNode.values()];
  if (variables.every(({ value }) => value !== undefined)) return withOriginalNames(fixed.graph, { outputNames });
  const names = analysis.outputs.refs.map((ref) => outputNames[refText(ref)] ?? outputNames[tensorName(ref)]);
  const own = analysis.outputs.refs.map((ref, i) => names[i] ?? tensorName(ref));
  const analysed = analyse(fixed, { outputs: own });
  refuseWithoutCheckpoint(analysed);
  return withOriginalNames(savedGraph(analysed), { outputNames });
}

function isNamed(given: Readonly<Record<string, string>>, name: string): boolean {
  return Object.hasOwn(given, name) || Object.hasOwn(given, `${name}:0`);
}
