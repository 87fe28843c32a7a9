import { isStepCounter } from '../../analysis/state/assignments.js';
import { variableValue } from '../../analysis/state/checkpoint_value.js';
import { CONVERGED_STEP } from '../../analysis/state/steady_state.js';
import { findActivations } from '../../analysis/training/activations.js';
import { evaluate, forwardsElement } from '../../analysis/values/evaluate.js';
import { BnfixError } from '../../errors.js';
import type { TensorRef } from '../../graph/node.js';
import type { NodeSet } from '../../graph/node_set.js';
import { readNumbers } from '../../graph/tensor.js';
import { descendants } from '../../graph/walk.js';
import { anyOf } from '../../ops/meaning.js';
import type { PassContext } from '../pass.js';

const TOLERANCE = 1e-5;

const isArithmetic = anyOf('arithmetic');

/**
 * Whether moving statistics are used as they are. A net that mixes them with the batch's while it trains may correct the
 * mixture by the number of its steps; inference does not, and what it would do cannot be read from the graph.
 *
 * @param followed - the variables that took the place of statistics
 * @throws BnfixError `unsupported` when the number of training steps changes what such a variable is worth to the net
 */
export function assertStepIndependent(context: PassContext, live: NodeSet, followed: ReadonlySet<string>): void {
  const { graph, variables, checkpoint, isKept } = context;
  if (followed.size === 0) return;
  const counters = [...variables.byNode.values()].filter(
    ({ node }) => live.hasNamed(node) && isStepCounter(graph, graph.get(node)),
  );
  if (counters.length === 0) return;
  const steps = new Map(counters.map((each) => [each.node, readNumbers(variableValue(each, checkpoint))[0] ?? 0]));
  const activations = findActivations(graph);
  const value = (ref: TensorRef, statistic: number, step?: number) =>
    evaluate(graph, ref, (leaf) => {
      const variable = variables.readBy(leaf)?.node;
      if (variable === undefined) return undefined;
      if (steps.has(variable)) return step ?? steps.get(variable);
      return followed.has(variable) ? statistic : undefined;
    });
  const counted = descendants(graph, steps.keys(), (node) => live.has(node) && !activations.has(node));
  for (const node of counted) {
    if (!(isArithmetic(node) || forwardsElement(node)) || !live.has(node) || activations.has(node) || isKept(node.name))
      continue;
    const ref = { node: node.name, port: 0 };
    const [now, other, late] = [value(ref, 1.7), value(ref, 2.9), value(ref, 1.7, CONVERGED_STEP)];
    if (now === other || Math.abs(now - late) <= TOLERANCE * Math.abs(late)) continue;
    throw new BnfixError('unsupported', `${node.name} corrects moving statistics by the number of training steps`, {
      where: node.name,
      why: `it makes ${(now / late).toPrecision(4)} times of them what it would after many steps; inference may not do so`,
      fix: `--keep ${node.name} leaves the correction as it is, or take a checkpoint that was trained for longer`,
    });
  }
}
