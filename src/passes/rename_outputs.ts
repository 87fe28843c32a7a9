import { attr } from '../graph/attrs.js';
import type { Graph } from '../graph/graph.js';
import { type Node, refText, type TensorRef } from '../graph/node.js';
import { anyOf } from '../ops/meaning.js';
import { outputTypeOrT } from '../ops/registry.js';
import type { Outcome } from './outcome.js';
import type { NamePlan, OutputName, Pass } from './pass.js';

/**
 * Gives outputs the names that the user wants.
 *
 *     outputNames: { y: probs }
 *     given:   x = Placeholder[shape=[?, 8]], y = Softmax(x)
 *     result:  x = Placeholder[shape=[?, 8]], probs = Softmax(x)
 *
 * Assumes: no two outputs get the same name, and none that of an input or of an output that keeps its own. An op inside the net
 * that has the name gets another one. An input, and one of several outputs of an op, is forwarded by an Identity of that name.
 */
export const renameOutputs: Pass<NamePlan> = {
  name: 'rename_outputs',
  run({ graph, outputs, names }) {
    const outcomes: Outcome[] = [];
    // Two outputs may exchange their names.
    const waiting = names.map(({ tensor, name }) => {
      const free = graph.freeName(`${name}_output`);
      const node = isRenamed(graph, tensor, outputs)
        ? graph.rename(graph.get(tensor.node), free)
        : forward(graph, { tensor, name: free });
      return { node, name };
    });
    for (const { name } of names) {
      const inTheWay = graph.find(name);
      if (!inTheWay) continue;
      const to = graph.freeName(name);
      graph.rename(inTheWay, to);
      outcomes.push({ kind: 'renamed', node: name, to });
    }
    for (const { node, name } of waiting) graph.rename(node, name);
    for (const { tensor, name } of names) outcomes.push({ kind: 'output_name', tensor, name });
    return { outcomes };
  },
};

const isPlaceholder = anyOf('placeholder');

/** Whether the op of an output itself gets the name: an input keeps its own, and so do other outputs of the op. */
function isRenamed(graph: Graph, { node, port }: TensorRef, outputs: readonly TensorRef[]): boolean {
  const ports = new Set(outputs.filter((other) => other.node === node).map((other) => other.port));
  return port === 0 && ports.size === 1 && !isPlaceholder(graph.get(node));
}

function forward(graph: Graph, { tensor, name }: OutputName): Node {
  const dtype = outputTypeOrT(graph.get(tensor.node), tensor.port);
  return graph.add({ name, op: 'Identity', inputs: [tensor], attr: { T: attr.type(dtype) } });
}

/** The outputs by the names that they have after {@link renameOutputs}. */
export function renamedOutputs(outputs: readonly TensorRef[], names: readonly OutputName[]): readonly TensorRef[] {
  const byTensor = new Map(names.map(({ tensor, name }) => [refText(tensor), name]));
  return outputs.map((ref) => {
    const name = byTensor.get(refText(ref));
    return name === undefined ? ref : { node: name, port: 0 };
  });
}
