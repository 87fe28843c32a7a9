import { Shapes } from '../../src/analysis/values/shapes.js';
import { attrString } from '../../src/graph/attrs.js';
import type { Graph } from '../../src/graph/graph.js';
import type { Node } from '../../src/graph/node.js';
import { elementCount, numberTensor, readNumbers } from '../../src/graph/tensor.js';

/** TensorFlow.js has no groups: the same graph with kernels that read all channels, and are zero beyond their group. */
export function ungrouped(graph: Graph): Graph {
  const copy = graph.copy();
  const shapes = new Shapes(copy);
  for (const node of [...copy.nodes()]) {
    const x = node.op === 'Conv2D' ? shapes.of(node.inputs[0]!) : undefined;
    const channels = x?.at(attrString(node, 'data_format') === 'NCHW' ? 1 : -1) ?? -1;
    const kernel = node.op === 'Conv2D' ? copy.inputNode(node, 1)?.tensor : undefined;
    if (kernel && channels > kernel.shape.at(-2)!) widen(copy, node, channels);
  }
  return copy;
}

function widen(graph: Graph, node: Node, channels: number): void {
  const constant = graph.inputNode(node, 1)!;
  const { shape, dtype } = constant.tensor!;
  const [inputs, outputs] = [shape.at(-2)!, shape.at(-1)!];
  const wide = [...shape.slice(0, -2), channels, outputs];
  const numbers = readNumbers(constant.tensor!);
  const values = Array.from({ length: elementCount(wide) }, (_, i) => {
    const output = i % outputs;
    const input = Math.floor(i / outputs) % channels;
    const tap = Math.floor(i / outputs / channels);
    const first = Math.floor(output / (outputs / (channels / inputs))) * inputs;
    const within = input - first;
    return within >= 0 && within < inputs ? numbers[(tap * inputs + within) * outputs + output]! : 0;
  });
  graph.replaceByConst(constant, numberTensor(dtype, wide, values));
}
