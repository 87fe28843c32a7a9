import { writeFileSync } from 'node:fs';
import { attr } from '../../src/graph/attrs.js';
import { DataType } from '../../src/graph/dtype.js';
import { Graph } from '../../src/graph/graph.js';
import type { NodeSpec, TensorRef } from '../../src/graph/node.js';
import { numberTensor } from '../../src/graph/tensor.js';
import { encodeGraphDef } from '../../src/writers/graph_def.js';

const FLOAT = attr.type(DataType.DT_FLOAT);
const CHANNELS = 4;

/** The name of each node of a net: of layer `i`, and which one of the layer. */
export type NameOf = (layer: number, node: string) => string;

/** Writes a frozen net. @returns its number of nodes */
export function writeNet(path: string, layers: number, nameOf: NameOf): number {
  const graph = netOf(layers, nameOf);
  const bytes = [...encodeGraphDef(graph).chunks()].map((chunk) => Buffer.from(chunk));
  writeFileSync(path, Buffer.concat(bytes));
  return graph.size;
}

/** A frozen net of convolutions, batch norms and activations. */
export function netOf(layers: number, nameOf: NameOf, activation = 'Relu'): Graph {
  const nodes: NodeSpec[] = [
    { name: nameOf(0, 'input'), op: 'Placeholder', attr: { dtype: FLOAT, shape: attr.shape([-1, 8, 8, CHANNELS]) } },
  ];
  let at = nodes[0]!.name;
  for (let layer = 1; layer <= layers; layer++) {
    const name = (node: string) => nameOf(layer, node);
    const vector = (node: string, value: number) => constant(name(node), [CHANNELS], value);
    const ref = (node: string): TensorRef => ({ node: name(node), port: 0 });
    nodes.push(
      constant(name('kernel'), [1, 1, CHANNELS, CHANNELS], 0.5),
      ...[vector('gamma', 1), vector('beta', 0.1), vector('mean', 0.2), vector('variance', 0.3)],
      {
        name: name('conv'),
        op: 'Conv2D',
        inputs: [{ node: at, port: 0 }, ref('kernel')],
        attr: { T: FLOAT, strides: { list: { i: [1, 1, 1, 1] } }, padding: attr.string('SAME') },
      },
      {
        name: name('bn'),
        op: 'FusedBatchNorm',
        inputs: ['conv', 'gamma', 'beta', 'mean', 'variance'].map(ref),
        attr: { T: FLOAT, is_training: attr.bool(false) },
      },
      { name: name('relu'), op: activation, inputs: [ref('bn')], attr: { T: FLOAT } },
    );
    at = name('relu');
  }
  return new Graph(nodes);
}

function constant(name: string, shape: readonly number[], value: number): NodeSpec {
  const size = shape.reduce((product, each) => product * each, 1);
  const values = Array.from({ length: size }, (_, i) => value + i / 10);
  return { name, op: 'Const', tensor: numberTensor(DataType.DT_FLOAT, shape, values), attr: { dtype: FLOAT } };
}
