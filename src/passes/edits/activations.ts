import { attr, attrInt, attrString, attrType } from '../../graph/attrs.js';
import { DataType } from '../../graph/dtype.js';
import type { Graph } from '../../graph/graph.js';
import type { Node } from '../../graph/node.js';

/** Attrs that only _FusedBatchNormEx has. */
const EX_ATTRS: ReadonlySet<string> = new Set(['num_side_inputs', 'activation_mode']);

/**
 * Splits a _FusedBatchNormEx into a FusedBatchNormV3 with what follows it: the sum with a side input, and the activation. Leaves it
 * if its activation is unknown.
 */
export function splitActivation(graph: Graph, node: Node): void {
  const activation = attrString(node, 'activation_mode') ?? 'Identity';
  const sides = attrInt(node, 'num_side_inputs') ?? 0;
  const isKnown = activation === 'Identity' || activation === 'Relu';
  if (!isKnown || sides > 1) return;
  const side = sides === 1 ? node.inputs[5] : undefined;
  const name = graph.freeName(`${node.name}/batch_norm`);
  const norm = { op: 'FusedBatchNormV3', inputs: node.inputs.slice(0, 5), attr: plainAttrs(node) };
  const T = attr.type(attrType(node, 'T') ?? DataType.DT_FLOAT);
  let x = { node: graph.add({ ...norm, name }).name, port: 0 };
  // Its statistics are outputs of the batch norm as well.
  for (const port of graph.usedPorts(node.name)) {
    if (port !== 0) graph.replaceUses({ node: node.name, port }, { node: name, port });
  }
  const { controls } = node;
  if (side && activation === 'Identity') {
    graph.replace(node, { op: 'AddV2', inputs: [x, side], controls, attr: { T } });
  } else {
    if (side) {
      const sum = { op: 'AddV2', inputs: [x, side], attr: { T } };
      x = { node: graph.add({ ...sum, name: graph.freeName(`${node.name}/sum`) }).name, port: 0 };
    }
    graph.replace(node, { op: activation, inputs: [x], controls, attr: { T } });
  }
}

function plainAttrs(node: Node): Node['attr'] {
  return Object.fromEntries(Object.entries(node.attr).filter(([key]) => !EX_ATTRS.has(key)));
}
