import type { Graph } from '../../graph/graph.js';
import type { Node } from '../../graph/node.js';
import { sourceOf } from '../../graph/walk.js';
import { anyOf, isIdentity } from '../../ops/meaning.js';
import type { TrainingOpKind } from '../finding.js';
import type { Rule } from './rule.js';

const isGradient = anyOf('gradient', 'fused_batch_norm_gradient');
const isOptimizer = anyOf('optimizer');
const isVariable = anyOf('variable');

/** Gradients, optimizers and their state in a graph for serving. What feeds an output is a part of the model. */
export const trainingOps: Rule = {
  id: 'training-ops',
  level: 'warn',
  find({ model: { graph }, analysis, live, isForServing }) {
    if (!isForServing) return [];
    const isUsed = ({ name }: Node) => live.has(analysis.graph.find(name));
    const left = [...graph.nodes()].filter((node) => !isUsed(node));
    const optimizers = left.filter(isOptimizer);
    const kinds: readonly (readonly [TrainingOpKind, readonly Node[]])[] = [
      ['gradient', left.filter(isGradient)],
      ['optimizer', optimizers],
      ['slot', slotsOf(graph, optimizers, isUsed)],
    ];
    return kinds.flatMap(([kind, nodes]) => {
      const [first] = nodes;
      return first ? [{ node: first.name, detail: { code: 'training_ops', kind, count: nodes.length } } as const] : [];
    });
  },
};

/** The variables of optimizers: what their ops take after the variable that they update. */
function slotsOf(graph: Graph, optimizers: readonly Node[], isUsed: (node: Node) => boolean): Node[] {
  const weights = new Set<Node>();
  const slots = new Set<Node>();
  for (const { inputs } of optimizers) {
    for (const [i, ref] of inputs.entries()) {
      const source = graph.find(sourceOf(graph, ref, isIdentity).node);
      if (source && isVariable(source) && !isUsed(source)) (i === 0 ? weights : slots).add(source);
    }
  }
  return [...slots].filter((node) => !weights.has(node));
}
