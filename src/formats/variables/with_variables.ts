import { Graph } from '../../graph/graph.js';
import { topologicalOrder } from '../../graph/walk.js';
import { runPipeline } from '../../passes/pipeline.js';
import { unfreezeVariables } from '../../passes/unfreeze_variables.js';
import type { tensorflow } from '../../proto/tensorflow.js';
import type { SavedTensor } from '../../writers/checkpoint/bundle.js';
import { addInitializer } from './add_initializer.js';
import { addSaver } from './add_saver.js';
import { chooseVariables, type Made } from './choose_variables.js';
import { trainableIn } from './trainable.js';

/** A graph with variables, and what TensorFlow needs to find them. */
export interface VariableGraph {
  readonly graph: Graph;
  /** Undefined if there are no variables. */
  readonly saver: tensorflow.SaverDef.$Properties | undefined;
  readonly collections: Readonly<Record<string, tensorflow.CollectionDef.$Properties>>;
  /** The values of the variables, by name. */
  readonly values: readonly SavedTensor[];
}

/**
 * A copy of a frozen or folded graph in which constants are variables again, with a saver and initialisers after its nodes.
 * Freezing it gives the graph that it was made from.
 * @param limit - size, in bytes, that the other constants should not exceed
 */
export function withVariables(made: Made, limit: number): VariableGraph {
  const isTrainable = trainableIn(made);
  const names = chooseVariables(made, limit).sort((a, b) => (a < b ? -1 : 1));
  const trainable = new Set(names.filter(isTrainable));
  const graph = new Graph(topologicalOrder(made.graph), made.graph.header);
  const variables = runPipeline([unfreezeVariables], { graph, constants: names });
  if (variables.length === 0) return { graph, saver: undefined, collections: {}, values: [] };
  const saver = addSaver(graph, variables);
  const all: Uint8Array[] = [];
  const trained: Uint8Array[] = [];
  for (const variable of variables) {
    const message = addInitializer(graph, variable, trainable.has(variable.node));
    all.push(message);
    if (trainable.has(variable.node)) trained.push(message);
  }
  return {
    graph,
    saver,
    collections: {
      ...(trained.length > 0 && { trainable_variables: listOf(trained) }),
      variables: listOf(all),
    },
    values: variables.map(({ node, value }) => ({ key: node, tensor: value })),
  };
}

function listOf(value: Uint8Array[]): tensorflow.CollectionDef.$Properties {
  return { bytes_list: { value } };
}
