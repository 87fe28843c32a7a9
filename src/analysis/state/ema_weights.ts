import type { Graph } from '../../graph/graph.js';
import type { Checkpoint } from '../../graph/model.js';
import { type Node, refText, sameRef, type TensorRef } from '../../graph/node.js';
import { ARITHMETIC, ELEMENT_PRESERVING_OPS, evaluate, MAX_EXPRESSION } from '../values/evaluate.js';
import { type Variable, Variables } from './variables.js';

const SHADOW_NAME = 'ExponentialMovingAverage';

/**
 * The variables with the values of their moving averages (tf.train.ExponentialMovingAverage): each takes the key of the
 * shadow that the graph's own ops average it into; where those are gone, the key `<variable>/ExponentialMovingAverage`.
 */
export function useEmaWeights(graph: Graph, variables: Variables, checkpoint: Checkpoint | undefined): Variables {
  const shadows = findShadows(graph, variables);
  const byNode = new Map<string, Variable>();
  for (const [node, variable] of variables.byNode) {
    const shadow = shadows.get(node);
    const named = [variable.key, node]
      .map((name) => `${name}/${SHADOW_NAME}`)
      .find((key) => checkpoint?.entries.has(key));
    if (shadow?.key !== undefined) {
      byNode.set(node, { ...variable, key: shadow.key, slice: shadow.slice, evidence: 'moving average' });
    } else if (named !== undefined) byNode.set(node, { ...variable, key: named, evidence: 'moving average' });
    else byNode.set(node, variable);
  }
  return new Variables(graph, byNode);
}

/** Variable -> the variable that averages its value, by the ops that assign to it. */
function findShadows(graph: Graph, variables: Variables): Map<string, Variable> {
  const found = new Map<string, Variable>();
  for (const node of graph.nodes()) {
    if (!/^Assign(Sub)?(VariableOp)?$/.test(node.op) || !node.inputs[0] || !node.inputs[1]) continue;
    const shadow = variables.ofHandle(node.inputs[0]);
    const averaged = shadow && averagedVariable(graph, variables, node, shadow);
    // The moving mean of a batch norm is an average, too, but of no variable: it never gets here.
    if (shadow && averaged && !found.has(averaged.node)) found.set(averaged.node, shadow);
  }
  return found;
}

/** The one variable v for which `shadow` stays as it is when shadow == v, and moves towards it else. */
function averagedVariable(graph: Graph, variables: Variables, assign: Node, shadow: Variable): Variable | undefined {
  const reads = new Map<string, TensorRef[]>();
  const queue: TensorRef[] = [assign.inputs[1]!];
  const seen = new Set<string>();
  for (const ref of queue) {
    if (seen.has(refText(ref)) || seen.size > MAX_EXPRESSION) continue;
    seen.add(refText(ref));
    const variable = variables.readBy(ref);
    if (variable) reads.set(variable.node, [...(reads.get(variable.node) ?? []), ref]);
    else {
      const node = graph.find(ref.node);
      if (!node) continue;
      if (node.op in ARITHMETIC) queue.push(...node.inputs);
      else if (ELEMENT_PRESERVING_OPS.has(node.op) && node.op !== 'Mean') queue.push(...node.inputs.slice(0, 1));
    }
  }
  const own = reads.get(shadow.node);
  if (!own) return undefined;
  const after = (now: number, value: number, refs: readonly TensorRef[]) => {
    const result = evaluate(graph, assign.inputs[1]!, (leaf) => {
      if (own.some((ref) => sameRef(ref, leaf))) return now;
      return refs.some((ref) => sameRef(ref, leaf)) ? value : undefined;
    });
    return assign.op.includes('Sub') ? now - result : result;
  };
  for (const [node, refs] of reads) {
    const variable = variables.byNode.get(node);
    if (!variable || node === shadow.node || String(variable.shape) !== String(shadow.shape)) continue;
    const fixed = [2.5, 0.75].every((x) => Math.abs(after(x, x, refs) - x) < 1e-4 * x);
    const moved = after(1, 3, refs) - 1;
    if (fixed && moved > 1e-9 && moved < 2) return variable;
  }
  return undefined;
}
