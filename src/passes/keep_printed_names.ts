import { Shapes } from '../analysis/values/shapes.js';
import { attr } from '../graph/attrs.js';
import { DataType } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/node.js';
import { numberTensor } from '../graph/tensor.js';
import { anyOf } from '../ops/meaning.js';
import { outputTypeOrT } from '../ops/registry.js';
import { forwardedProducer } from './edits/forwarded.js';
import type { Outcome } from './outcome.js';
import type { FinishPlan, Pass } from './pass.js';

/**
 * Keeps the names of outputs in programs that drop an Identity and merge a sum into the op before it, each with its name. A
 * producer that others read as well takes the name of its Identity; a matrix that is a sum is followed by a Reshape to its own shape.
 *
 *     outputs: [y]
 *     given:   x = Placeholder[shape=[?, 2]], b = [1.0, 2.0], y = BiasAdd(x, b)
 *     result:  x = Placeholder[shape=[?, 2]], b = [1.0, 2.0], y_1 = BiasAdd(x, b)
 *              y_shape = [-1, 2], y = Reshape(y_1, y_shape)[Tshape=int32]
 *
 * Assumes: nothing. Names of inputs, of other outputs, and of ops with several outputs stay.
 */
export const keepPrintedNames: Pass<FinishPlan> = {
  name: 'keep_printed_names',
  run({ graph, outputs, isKept }) {
    const named = new Set(outputs.map(({ node }) => node));
    const outcomes: Outcome[] = [];
    for (const name of named) {
      const producer = sharedProducer(graph, name);
      if (!producer || named.has(producer.name) || isKept(producer.name)) continue;
      // Others read the output itself, which then is computed by the producer.
      graph.replaceUses({ node: producer.name, port: 0 }, { node: name, port: 0 }, (node) => node.name !== name);
      graph.moveTo(producer, graph.get(name));
      outcomes.push({ kind: 'renamed', node: producer.name, to: name });
    }
    const shapes = new Shapes(graph);
    const matrices = [...named].flatMap((name) => {
      const columns = isSum(graph.get(name)) ? columnsOf(shapes.of({ node: name, port: 0 })) : undefined;
      return columns === undefined || isKept(name) ? [] : [{ name, columns }];
    });
    for (const { name, columns } of matrices) outcomes.push(reshapeToItself(graph, name, columns));
    return { outcomes };
  },
};

const isSum = anyOf('add', 'bias');
/** Inputs keep their names; ops of loops and branches stay where they are. */
const staysAsItIs = anyOf('placeholder', 'switch', 'merge', 'enter', 'exit', 'next_iteration', 'loop_cond', 'handle');

/** The node that an Identity forwards, if it can take over the name. */
function sharedProducer(graph: Graph, name: string): Node | undefined {
  const producer = forwardedProducer(graph, name);
  return producer && !staysAsItIs(producer) ? producer : undefined;
}

/** The columns of a matrix, if they are known. */
function columnsOf(shape: readonly number[] | undefined): number | undefined {
  return shape?.length === 2 && shape[1]! > 0 ? shape[1] : undefined;
}

function reshapeToItself(graph: Graph, name: string, columns: number): Outcome {
  const dtype = outputTypeOrT(graph.get(name), 0);
  const inner = graph.rename(graph.get(name), graph.freeName(name));
  const shape = numberTensor(DataType.DT_INT32, [2], [-1, columns]);
  const constant = graph.freeName(`${name}_shape`);
  graph.add({ name: constant, op: 'Const', tensor: shape, attr: { dtype: attr.type(DataType.DT_INT32) } });
  const inputs = [inner.name, constant].map((node) => ({ node, port: 0 }));
  graph.add({ name, op: 'Reshape', inputs, attr: { T: attr.type(dtype), Tshape: attr.type(DataType.DT_INT32) } });
  return { kind: 'renamed', node: name, to: inner.name };
}
