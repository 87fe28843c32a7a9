import { attr } from '../graph/attrs.js';
import { DataType } from '../graph/dtype.js';
import { elementCount, numberTensor } from '../graph/tensor.js';
import { ancestors } from '../graph/walk.js';
import { outputTypes } from '../ops/registry.js';
import type { Pass, Remark } from './pass.js';

/**
 * Takes the corrections of batch renormalisation out: r is 1 and d is 0 at inference.
 *
 *     given:   y = (normalised * r + d) * gamma, r = clip(stddev / renorm_stddev)      result:  r = Const[1], d = Const[0]
 *
 * Assumes: the analysis has shown by numbers that they are 1 and 0 when the statistics agree.
 */
export const removeRenormCorrections: Pass = {
  name: 'remove_renorm_corrections',
  run({ graph, outputs, batchNorms }) {
    if (batchNorms.corrections.length === 0) return { changed: [], skipped: [] };
    const changed: Remark[] = [];
    const live = ancestors(
      graph,
      outputs.map((ref) => ref.node),
      false,
    );
    for (const { ref, value, shape } of batchNorms.corrections) {
      if (!live.hasNamed(ref.node)) continue;
      const dtype = outputTypes(graph.get(ref.node))?.[ref.port] ?? DataType.DT_FLOAT;
      const name = graph.freeName(`${ref.node}/inference`);
      const tensor = numberTensor(dtype, shape, new Array<number>(elementCount(shape)).fill(value));
      graph.add({ name, op: 'Const', tensor, attr: { dtype: attr.type(dtype) } });
      // The updates that measure the same difference go on doing so: they are no part of the net.
      graph.replaceUses(ref, { node: name, port: 0 }, (consumer) => live.has(consumer));
      changed.push({ node: ref.node, text: `correction of batch renormalisation: ${value}` });
    }
    return { changed, skipped: [] };
  },
};
