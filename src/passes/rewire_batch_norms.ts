import { attr, attrType } from '../graph/attrs.js';
import { DataType } from '../graph/dtype.js';
import type { Node, TensorRef } from '../graph/node.js';
import { StatisticWriter } from './edits/statistic.js';
import type { Outcome } from './outcome.js';
import type { FusedRepair, Pass } from './pass.js';

/**
 * Makes the batch norm ops that feed an output use their moving statistics.
 *
 *     checkpoint: { m: [1, 2], v: [4, 9] }
 *     given:   y = FusedBatchNormV3(x, gamma, beta, [], [])[is_training=true]
 *              m = VariableV2[shape=[2]], AssignSub(m, (m - y:1) * 0.1)
 *              v = VariableV2[shape=[2]], AssignSub(v, (v - y:2) * 0.1)
 *     result:  m = VariableV2[shape=[2]], v = VariableV2[shape=[2]]
 *              y = FusedBatchNormV3(x, gamma, beta, m, v)[is_training=false]
 *
 * Assumes: the analysis has paired each op with its statistics.
 */
export const rewireBatchNorms: Pass = {
  name: 'rewire_batch_norms',
  run({ graph, checkpoint, fused, unfused }) {
    const writer = new StatisticWriter(graph, checkpoint);
    for (const repair of fused) rewire(writer, repair);
    const names = [...fused.map(({ node }) => node), ...unfused];
    return { outcomes: names.map((name): Outcome => ({ kind: 'batch_norm', name })) };
  },
};

function rewire(writer: StatisticWriter, { node: name, mean, variance, variances, gradients }: FusedRepair): void {
  const { graph } = writer;
  const node = graph.get(name);
  // FusedBatchNorm has statistics of type T; V2 and V3 have statistics of type U.
  const dtype = attrType(node, 'U') ?? attrType(node, 'T') ?? DataType.DT_FLOAT;
  const statisticsFor = (reader: Node) =>
    [mean, variance].map((variable) =>
      writer.write(reader.name, variable, dtype, variable.shape?.length === 1 ? undefined : [-1]),
    ) as [TensorRef, TensorRef];
  const [meanRef, varianceRef] = statisticsFor(node);
  graph.setInputs(node, [...node.inputs.slice(0, 3), meanRef, varianceRef]);
  // Other nodes may read its batch statistics: quantisation-aware training does its own folding.
  graph.replaceUses({ node: name, port: 1 }, meanRef);
  for (const tensor of [...variances].reverse()) graph.replaceUses(tensor, varianceRef);
  // If the net outputs gradients: at inference, they treat the statistics as constants.
  for (const gradient of gradients.map((each) => graph.get(each))) {
    const { inputs } = gradient;
    graph.setInputs(gradient, [...inputs.slice(0, 3), ...statisticsFor(gradient), ...inputs.slice(5)]);
    graph.setAttr(gradient, 'is_training', attr.bool(false));
  }
  graph.setAttr(node, 'is_training', attr.bool(false));
  graph.removeAttrs(node, ['exponential_avg_factor']);
}
