import { variableValue } from '../analysis/state/checkpoint_value.js';
import { isUntouched } from '../analysis/state/health.js';
import type { MovingAverage } from '../analysis/state/moving_averages.js';
import { isTrainingFused, reducesBatch } from '../analysis/training/batch_statistics.js';
import { Gradients, isTrainingGradient } from '../analysis/training/gradients.js';
import { forwardsElement } from '../analysis/values/evaluate.js';
import { BnfixError } from '../errors.js';
import { refText, type TensorRef } from '../graph/node.js';
import type { NodeSet } from '../graph/node_set.js';
import { ancestors } from '../graph/walk.js';
import { anyOf } from '../ops/meaning.js';
import type { Pass, PassContext, Remark } from './pass.js';
import { assertStepIndependent } from './rewiring/assert_step_independent.js';
import { type Refusal, refused } from './rewiring/refusal.js';
import { type Rewire, rewireContext, rewireStatistic } from './rewiring/statistic.js';

/**
 * Lets any other statistic of the batch that the net uses be the variable that follows it: a mean alone, a maximum, a
 * second moment, a deviation.
 *
 *     given:   y = x / (ReduceMax(x) + eps), AssignSub(running_max, (running_max - ReduceMax(x)) * decay)
 *     result:  y = x / (running_max + eps)
 *
 * Assumes: batch norms have been rewired. Afterwards no statistic of the batch that a variable follows may be in use: if
 * one is, the analysis was wrong about it, and nothing is written.
 */
export const rewireAveragedStatistics: Pass = {
  name: 'rewire_averaged_statistics',
  run(context) {
    const rewire = rewireContext(context);
    const names = context.outputs.map((ref) => ref.node);
    const changed: Remark[] = [];
    const live = ancestors(context.graph, names, false);
    const followed = new Set<string>();
    for (const average of inUse(rewire, live)) {
      const { statistic, variable, assign } = average;
      if (average.isCopy || !comesFromBatch(rewire, statistic)) continue;
      if (isUntouched(variableValue(variable, context.checkpoint)) && !context.allowUntrained) throw untrained(average);
      rewireStatistic(rewire, statistic, variable);
      followed.add(variable.node);
      changed.push({ node: statistic.node, text: `${assign} assigns ${variable.node} from ${refText(statistic)}` });
    }
    const after = ancestors(context.graph, names, false);
    const skipped = judgeParts(context, live, after, changed);
    assertNothingLeft(rewire, after);
    assertStepIndependent(context, after, followed);
    return { changed, skipped };
  },
};

/** The tensors on the way to an output that one variable follows. */
function inUse(context: Rewire, live: NodeSet): MovingAverage[] {
  const { graph, batchNorms, variables, isKept } = context;
  const kept = new Set<string>();
  for (const { name, moments } of batchNorms.sites) {
    if (!isKept(name)) continue;
    for (const ref of [...(moments?.mean ?? []), ...(moments?.variance ?? [])]) kept.add(refText(ref));
  }
  const found: MovingAverage[] = [];
  for (const [key, [average, another]] of batchNorms.averages) {
    if (!average || another) continue;
    const { statistic } = average;
    const node = graph.find(statistic.node);
    if (!node || !live.has(node) || kept.has(key) || isKept(node.name) || isTrainingFused(node)) continue;
    if (!graph.consumers(statistic).some((consumer) => live.has(consumer))) continue;
    if (!variables.readBy(statistic)) found.push(average);
  }
  return found;
}

const isReduction = anyOf('reduction');
const isArithmetic = anyOf('arithmetic');
const MAX_STEPS = 60;

/** Whether a tensor is made of reductions over the batch by arithmetic. */
function comesFromBatch({ graph, shapes }: Rewire, ref: TensorRef): boolean {
  const seen = new Set([ref.node]);
  for (const name of seen) {
    const node = graph.find(name);
    if (!node || seen.size > MAX_STEPS) return false;
    if (isTrainingFused(node)) return true;
    if (isReduction(node)) {
      if (reducesBatch(graph, shapes, node)) return true;
    } else if (isArithmetic(node) || forwardsElement(node)) {
      for (const input of node.inputs) seen.add(input.node);
    }
  }
  return false;
}

/** Batch norms whose parts were followed one by one: each must have become free of its batch. */
function judgeParts(context: PassContext, before: NodeSet, live: NodeSet, changed: Remark[]): Remark[] {
  const { batchNorms, isKept } = context;
  const skipped: Remark[] = [];
  const refusals: Refusal[] = [];
  for (const site of batchNorms.sites) {
    if (!site.inParts || !before.hasNamed(site.name)) continue;
    const left = site.moments?.reductions.some((reduction) => live.hasNamed(reduction));
    if (!left) changed.push({ node: site.name, text: 'its parts are followed one by one' });
    else if (isKept(site.name)) skipped.push({ node: site.name, text: 'left in training mode: --keep' });
    else refusals.push({ site, why: site.problem ?? 'no moving statistics', kind: 'unpaired' });
  }
  if (refusals.length > 0) throw refused(refusals);
  return skipped;
}

function assertNothingLeft(context: Rewire, live: NodeSet): void {
  const { batchNorms, isKept } = context;
  const gradients = new Gradients(live);
  const fail = (name: string, why: string): never => {
    throw new BnfixError('unsupported', `${name} normalises with the batch in a way that cannot be rewired`, {
      where: name,
      why,
      fix: `--keep ${name} leaves it as it is, or choose other --outputs`,
    });
  };
  const through = (node: string) =>
    `the outputs need ${node}, a gradient that goes through the statistics of the batch`;
  const still = 'is on the way to an output even with the moving statistics in place';
  for (const { name, moments, mode, exempt, inParts, statistics } of batchNorms.sites) {
    if (mode === 'inference' || exempt || isKept(name) || !live.hasNamed(name)) continue;
    const left = statistics && moments?.reductions.find((reduction) => live.hasNamed(reduction));
    if (left) fail(name, `${left} ${still}`);
    if (!statistics && !inParts) continue;
    const gradient = moments?.reductions.map((reduction) => gradients.of(reduction)).find((node) => node !== undefined);
    if (gradient) fail(name, through(gradient));
  }
  for (const node of live) {
    const site = node.inputs[3]?.node ?? node.name;
    if (!isTrainingGradient(node) || isKept(site) || isKept(node.name)) continue;
    fail(site, through(node.name));
  }
  for (const { statistic, variable, isCopy } of inUse(context, live)) {
    if (!isCopy) fail(statistic.node, `${statistic.node}, which ${variable.node} follows, ${still}`);
  }
}

function untrained({ statistic, variable }: MovingAverage): BnfixError {
  return new BnfixError('statistics', `${variable.node} was never trained`, {
    where: statistic.node,
    why: 'it follows a statistic of the batch that the net uses, and it still is all 0 or all 1',
    fix: `--allow-untrained takes it as it is; --keep ${statistic.node} leaves the statistic of the batch in use`,
  });
}
