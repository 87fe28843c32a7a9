import { corruptGraph } from '../../graph/corrupt_graph.js';
import { isFloat } from '../../graph/dtype.js';
import type { Graph } from '../../graph/graph.js';
import type { Node } from '../../graph/node.js';
import { sourceOf } from '../../graph/walk.js';
import { anyOf, isIdentity } from '../../ops/meaning.js';
import { tensorflow } from '../../proto/tensorflow.js';
import type { Made } from './choose_variables.js';

const isBatchNorm = anyOf('fused_batch_norm');
/** The inputs of a fused batch norm that are its mean and its variance. */
const STATISTICS = [3, 4];

/**
 * Which variables an optimizer may change: those that it could change in the model. Where the model does not say, all weights
 * but the statistics of batch norms.
 */
export function trainableIn({ graph, model, report }: Made): (name: string) => boolean {
  const { trainable_variables, variables } = model.metaGraphDef.collection_def ?? {};
  // A graph in which no variable is trained has no collection of those that are.
  const listed = (trainable_variables ?? variables) && (trainable_variables?.bytes_list?.value ?? []);
  const known = listed && new Set(listed.map(variableName));
  const statistics = statisticsOf(graph, report);
  return (name) => {
    const isWeight = isFloat(graph.find(name)?.tensor?.dtype);
    return isWeight && (known?.has(name) || (!statistics.has(name) && (!known || !model.graph.has(name))));
  };
}

/** @throws BnfixError `unreadable` for an entry that is no VariableDef */
function variableName(message: Uint8Array): string {
  try {
    return tensorflow.VariableDef.decode(message).variable_name.replace(/:0$/, '');
  } catch (error) {
    throw corruptGraph(undefined, 'a collection of variables is corrupt', (error as Error).message);
  }
}

function statisticsOf(graph: Graph, { batchNorms }: Made['report']): Set<string> {
  const paired = batchNorms.flatMap(({ mean, variance }) => [mean, variance].filter((name) => name !== undefined));
  const read = (node: Node) => STATISTICS.flatMap((i) => node.inputs[i] ?? []);
  const fused = [...graph.nodes()].filter((node) => isBatchNorm(node)).flatMap(read);
  return new Set([...paired, ...fused.map((ref) => sourceOf(graph, ref, isIdentity).node)]);
}
