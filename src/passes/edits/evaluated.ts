import type { ConstantExpression } from '../../analysis/values/constant_expressions.js';
import { attr } from '../../graph/attrs.js';
import type { Graph } from '../../graph/graph.js';
import type { TensorRef } from '../../graph/node.js';
import { ancestors } from '../../graph/walk.js';

/** Makes constants of tensors whose values are known, and removes what no output needs then. */
export function replaceByConstants(
  graph: Graph,
  outputs: readonly TensorRef[],
  values: readonly ConstantExpression[],
): void {
  for (const { ref, tensor } of values) {
    const node = graph.get(ref.node);
    const [port] = graph.usedPorts(ref.node).filter((used) => used > 0);
    if (ref.port === 0 && port === undefined) graph.replaceByConst(node, tensor);
    else {
      const name = graph.freeName(`${ref.node}_${ref.port}`);
      graph.add({ name, op: 'Const', tensor, attr: { dtype: attr.type(tensor.dtype) } });
      graph.replaceUses(ref, { node: name, port: 0 });
    }
  }
  const live = ancestors(
    graph,
    outputs.map(({ node }) => node),
  );
  if (live.size < graph.size) graph.retain(live);
}
