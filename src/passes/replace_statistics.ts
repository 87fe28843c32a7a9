import type { Replacement } from '../analysis/training/replacements.js';
import { attr } from '../graph/attrs.js';
import { DataType } from '../graph/dtype.js';
import type { TensorRef } from '../graph/node.js';
import { filledTensor } from '../graph/tensor.js';
import { outputType } from '../ops/registry.js';
import { StatisticWriter } from './edits/statistic.js';
import type { Outcome } from './outcome.js';
import type { Pass } from './pass.js';

/**
 * Replaces batch statistics, and values that an assignment has just computed from the batch, by the moving statistics;
 * replaces corrections of batch renormalisation by the constants that they converge to.
 *
 *     checkpoint: { moving_mean: [1, 2] }
 *     given:   x = Placeholder[shape=[?, 2]], m = Mean(x, [0]), y = x - m
 *              moving_mean = VariableV2[shape=[2]], AssignSub(moving_mean, (moving_mean - m) * 0.1)
 *     result:  x = Placeholder[shape=[?, 2]], moving_mean = VariableV2[shape=[2]], y = x - moving_mean
 *
 * Assumes: the analysis has checked numerically that each variable averages the tensor that it replaces.
 */
export const replaceStatistics: Pass = {
  name: 'replace_statistics',
  run({ graph, checkpoint, replacements }) {
    const writer = new StatisticWriter(graph, checkpoint);
    const outcomes: Outcome[] = [];
    for (const { tensor, by } of replacements) {
      graph.replaceUses(tensor, 'value' in by ? writeConstant(writer, tensor, by) : writeVariable(writer, tensor, by));
      outcomes.push({ kind: 'statistic', tensor, by: 'value' in by ? by.value : by.variable.node });
    }
    return { outcomes };
  },
};

type ByConstant = Extract<Replacement['by'], { readonly value: number }>;
type ByVariable = Exclude<Replacement['by'], ByConstant>;

function writeConstant({ graph }: StatisticWriter, tensor: TensorRef, { value, shape }: ByConstant): TensorRef {
  const dtype = outputType(graph.get(tensor.node), tensor.port) ?? DataType.DT_FLOAT;
  const { name } = graph.add({
    name: graph.freeName(`${tensor.node}/inference`),
    op: 'Const',
    tensor: filledTensor(dtype, shape, value),
    attr: { dtype: attr.type(dtype) },
  });
  return { node: name, port: 0 };
}

function writeVariable(writer: StatisticWriter, tensor: TensorRef, { variable, shape }: ByVariable): TensorRef {
  const dtype = outputType(writer.graph.get(tensor.node), tensor.port) ?? variable.dtype;
  return writer.write(tensor.node, variable, dtype, shape);
}
