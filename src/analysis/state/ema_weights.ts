import type { Graph } from '../../graph/graph.js';
import type { Checkpoint } from '../../graph/model.js';
import type { Node } from '../../graph/node.js';
import { findAssignments } from './assignments.js';
import { AverageCheck } from './average_check.js';
import { type Variable, Variables } from './variables.js';

const EMA_NAME = 'ExponentialMovingAverage';

/**
 * The variables with the values of their moving averages (tf.train.ExponentialMovingAverage): each gets the key of the
 * variable that ops of the graph average it into; without such ops, the key `<variable>/ExponentialMovingAverage`.
 */
export function useEmaWeights(graph: Graph, variables: Variables, checkpoint: Checkpoint | undefined): Variables {
  const averages = findEmaWeights(graph, variables);
  const byNode = new Map<string, Variable>();
  for (const [node, variable] of variables.byNode) {
    const average = averages.get(node);
    const named = [variable.key, node].map((name) => `${name}/${EMA_NAME}`).find((key) => checkpoint?.entries.has(key));
    if (average?.key !== undefined) {
      byNode.set(node, { ...variable, key: average.key, slice: average.slice, evidence: 'moving average' });
    } else if (named !== undefined) byNode.set(node, { ...variable, key: named, evidence: 'moving average' });
    else byNode.set(node, variable);
  }
  return new Variables(graph, byNode);
}

/** Variable -> the variable that averages its value, according to the ops that assign to it. */
function findEmaWeights(graph: Graph, variables: Variables): Map<string, Variable> {
  const check = new AverageCheck(graph, variables);
  const found = new Map<string, Variable>();
  for (const { variable, assigns } of findAssignments(graph, variables).values()) {
    for (const assign of assigns) {
      const averaged = averagedVariable(variables, check, variable, assign);
      // The moving mean of a batch norm is an average too, but not of a variable: it is never found here.
      if (averaged && !found.has(averaged.node)) found.set(averaged.node, variable);
    }
  }
  return found;
}

/** The variable of the same shape that an assignment averages, through any of its reads. */
function averagedVariable(
  variables: Variables,
  check: AverageCheck,
  own: Variable,
  assign: Node,
): Variable | undefined {
  const candidates = new Set<Variable>();
  for (const ref of check.candidates(own, assign)) {
    const read = variables.readBy(ref);
    if (read && String(read.shape) === String(own.shape)) candidates.add(read);
  }
  return [...candidates].find((variable) =>
    check.holds(own, assign, (ref) => variables.readBy(ref)?.node === variable.node, false),
  );
}
