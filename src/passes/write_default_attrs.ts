import { type AttrMap, type AttrValue, attrBool } from '../graph/attrs.js';
import { explicitAttrs } from '../ops/default_attrs.js';
import { anyOf } from '../ops/meaning.js';
import { tensorflow } from '../proto/tensorflow.js';
import type { Pass } from './pass.js';

/**
 * Writes attrs that were omitted because they have their default value: TensorFlow fills them in, other programs do not.
 * Removes attrs without effect that are newer than the graph: an older TensorFlow refuses them.
 *
 *     given:   x = Placeholder[shape=[?, 8]], y = LeakyRelu(x)
 *     result:  x = Placeholder[shape=[?, 8]], y = LeakyRelu(x)[T=float32, alpha=0.2]
 *
 *     given:   x = Placeholder[shape=[?, 4, 4, 1]]
 *              y = FusedBatchNormV3(x, [1.0], [0.0], [0.0], [1.0])[exponential_avg_factor=1.0, is_training=false]
 *     result:  x = Placeholder[shape=[?, 4, 4, 1]]
 *              y = FusedBatchNormV3(x, [1.0], [0.0], [0.0], [1.0])[data_format=NHWC, epsilon=0.0001, is_training=false]
 *
 * Assumes: nothing.
 */
export const writeDefaultAttrs: Pass<unknown> = {
  name: 'write_default_attrs',
  run({ graph }) {
    const { header } = graph;
    const producer = header.versions?.producer ?? 0;
    for (const node of graph.nodes()) {
      const attrs = writtenAttrs(node.op, node.attr, producer);
      if (attrs) graph.setAttrs(node, attrs);
    }
    const { library } = header;
    const functions = library?.function ?? [];
    if (functions.length > 0) {
      const written = functions.map((fn) => ({
        ...fn,
        node_def: (fn.node_def ?? []).map((node) => explicit(node, producer)),
      }));
      graph.setHeader({ ...header, library: { ...library, function: written } });
    }
    return { outcomes: [] };
  },
};

type NodeDef = tensorflow.NodeDef.$Properties;

function explicit(node: NodeDef, producer: number): NodeDef {
  const attr = writtenAttrs(node.op ?? '', node.attr ?? {}, producer);
  return attr ? { ...node, attr: { ...attr } } : node;
}

const isFusedBatchNorm = anyOf('fused_batch_norm');

/** Has no effect at inference; TensorFlow 1 does not know it. */
const MIXING_FACTOR = 'exponential_avg_factor';

/** The attrs to write for a node; undefined if they are those that it has. */
function writtenAttrs(op: string, attrs: AttrMap, producer: number): AttrMap | undefined {
  const written = explicitAttrs(op, attrs, producer, isSame);
  const all = written ?? attrs;
  if (!(MIXING_FACTOR in all) || !isFusedBatchNorm({ op }) || attrBool({ attr: all }, 'is_training') !== false) {
    return written;
  }
  const { [MIXING_FACTOR]: _, ...others } = all;
  return MIXING_FACTOR in attrs || Object.keys(others).length > Object.keys(attrs).length ? others : undefined;
}

function isSame(a: AttrValue, b: AttrValue): boolean {
  return textOf(a) === textOf(b);
}

function textOf(value: AttrValue): string {
  return tensorflow.AttrValue.encode(value).finish().join();
}
