import { variableValue } from '../analysis/state/checkpoint_value.js';
import type { Analysis } from '../freezing/analysis.js';
import { attr } from '../graph/attrs.js';
import type { Graph } from '../graph/graph.js';
import { addConstant, replaceByStored } from './stored.js';

/**
 * The saved graph with the checkpoint's moving statistics in place of its batch statistics: what a repaired graph has to
 * compute, made from the analysis without the passes.
 */
export function expectedGraph({ plan, model: { checkpoint } }: Analysis, saved: Graph): Graph {
  const graph = saved.copy();
  for (const { node, mean, variance, variances, gradients } of plan.fused) {
    const op = graph.find(node);
    if (!op) continue;
    const stored = [mean, variance].map(
      (variable) => variable.row?.read ?? addConstant(graph, node, variableValue(variable, checkpoint)),
    );
    for (const each of [op, ...gradients.flatMap((name) => graph.find(name) ?? [])]) {
      for (const [index, ref] of stored.entries()) graph.setInput(each, 3 + index, ref);
      graph.setAttr(each, 'is_training', attr.bool(false));
    }
    graph.replaceUses({ node, port: 1 }, stored[0]!);
    for (const tensor of variances) if (graph.has(tensor.node)) graph.replaceUses(tensor, stored[1]!);
  }
  for (const replacement of plan.replacements) replaceByStored(graph, replacement, checkpoint);
  return graph;
}
