import { BnfixError } from '../errors.js';
import { attr } from '../graph/attrs.js';
import { DataType } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import { type Node, refText, type TensorRef } from '../graph/node.js';
import { ancestors } from '../graph/walk.js';
import { Frames } from '../ops/frames.js';
import { outputCount, outputType } from '../ops/registry.js';
import type { Outcome } from './outcome.js';
import type { Pass, PreparePlan } from './pass.js';

/**
 * Cuts the graph at the named tensors.
 *
 *     inputs: [decode]
 *     given:   decode = DecodeJpeg(file), y = Cast(decode)[DstT=float32]
 *     result:  decode = Placeholder[uint8, shape=?], y = Cast(decode)[DstT=float32]
 *
 * Assumes: nothing. A tensor that is not output 0 of a node with one output becomes a new placeholder. A placeholder is outside
 * of loops: ops in a loop read it through an Enter.
 */
export const cutInputs: Pass<PreparePlan> = {
  name: 'cut_inputs',
  run({ graph, inputs, outputs }) {
    const outcomes: Outcome[] = [];
    const frames = new Frames(graph);
    // First add placeholders for ports beyond 0; then a node that nothing else needs can be replaced under its name.
    for (const { tensor: ref, shape } of [...inputs].sort((a, b) => b.tensor.port - a.tensor.port)) {
      const node = graph.find(ref.node);
      if (!node) throw unknownInput(graph, ref);
      if (node.op === 'Placeholder' && ref.port === 0) continue;
      const isReplaced = ref.port === 0 && isOnlyFirstNeeded(graph, node, outputs);
      if (!isReplaced && graph.consumers(ref).length === 0) continue;
      const { op } = node;
      const dtype = outputType(node, ref.port);
      if (dtype === undefined || dtype === DataType.DT_INVALID) {
        const count = outputCount(node);
        throw new BnfixError('unsupported', `the dtype of ${refText(ref)} is unknown`, {
          where: ref.node,
          why: count === undefined ? `${node.op} is a custom op` : `${node.op} has ${count} outputs`,
          fix: { option: 'inputs', value: 'TENSOR', text: 'cuts at another tensor' },
        });
      }
      const spec = { op: 'Placeholder', attr: { dtype: attr.type(dtype), shape: attr.shape(shape) } };
      if (isReplaced) {
        moveOthers(graph, node);
        graph.replace(node, spec);
        frames.moveOut(ref.node);
        enterLoops(graph, frames, ref, dtype);
        outcomes.push({ kind: 'input', tensor: ref, op, placeholder: ref.node });
      } else {
        const name = graph.freeName(ref.port === 0 ? `${ref.node}_input` : `${ref.node}_${ref.port}`);
        graph.add({ name, ...spec });
        graph.replaceUses(ref, { node: name, port: 0 });
        enterLoops(graph, frames, { node: name, port: 0 }, dtype);
        outcomes.push({ kind: 'input', tensor: ref, op, placeholder: name });
      }
    }
    return { outcomes };
  },
};

/** Passes a placeholder into the loops that read it. */
function enterLoops(graph: Graph, frames: Frames, ref: TensorRef, dtype: DataType): void {
  for (const consumer of graph.consumers(ref).slice()) {
    const loops = frames.around(consumer);
    if (loops.length === 0) continue;
    const entered = frames.bring(ref, dtype, loops);
    graph.replaceUses(ref, entered, (node) => node === consumer);
  }
}

/** Whether no other output of a node feeds an output of the graph. */
function isOnlyFirstNeeded(graph: Graph, node: Node, outputs: readonly TensorRef[]): boolean {
  const live = ancestors(
    graph,
    outputs.map((ref) => ref.node),
    false,
  );
  return otherPorts(graph, node).every((ref) => !graph.consumers(ref).some((consumer) => live.has(consumer)));
}

/** The outputs of a node beyond its first that have consumers. */
function otherPorts(graph: Graph, { name }: Node): TensorRef[] {
  return graph
    .usedPorts(name)
    .filter((port) => port > 0)
    .map((port) => ({ node: name, port }));
}

/** Consumers that no output needs (labels, say) keep reading the renamed node. */
function moveOthers(graph: Graph, node: Node): void {
  const others = otherPorts(graph, node);
  if (others.length === 0) return;
  const { op, inputs, controls, attr, tensor, device } = node;
  const { name } = graph.add({ name: graph.freeName(`${node.name}_rest`), op, inputs, controls, attr, tensor, device });
  for (const ref of others) graph.replaceUses(ref, { node: name, port: ref.port });
}

function unknownInput(graph: Graph, ref: TensorRef): BnfixError {
  const names = [...graph.nodes()].filter((node) => node.op.startsWith('Placeholder')).map((node) => node.name);
  return new BnfixError('usage', `tensor ${refText(ref)} not found`, {
    option: 'inputs',
    fix: names.length > 0 ? `placeholders of this graph: ${names.slice(0, 10).join(', ')}` : undefined,
  });
}
