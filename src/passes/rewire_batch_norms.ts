import { checkHealth } from '../analysis/state/health.js';
import type { Variable } from '../analysis/state/variables.js';
import type { BatchNorm } from '../analysis/training/batch_norms.js';
import { isTrainingGradient } from '../analysis/training/gradients.js';
import type { MomentsSite } from '../analysis/training/unfused.js';
import { attr, attrType } from '../graph/attrs.js';
import { DataType } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import { type Node, refText, type TensorRef } from '../graph/node.js';
import type { NodeSet } from '../graph/node_set.js';
import { ancestors } from '../graph/walk.js';
import { anyOf } from '../ops/meaning.js';
import type { Pass, PassContext, Remark } from './pass.js';
import { type Refusal, refused } from './rewiring/refusal.js';
import { type Rewire, rewireContext, rewireStatistic, statisticRef } from './rewiring/statistic.js';

/**
 * Lets every batch norm on the way to an output use its moving statistics.
 *
 *     given:   bn = FusedBatchNormV3(x, gamma, beta, [], [])[is_training=true]
 *              AssignSub(moving_mean, (moving_mean - bn:1) * decay), the same for bn:2
 *     result:  bn = FusedBatchNormV3(x, gamma, beta, moving_mean, moving_variance)[is_training=false]
 *
 *     given:   m = Mean(x), v = Mean(SquaredDifference(x, m)), y = (x - m) * Rsqrt(v + eps)
 *              AssignSub(moving_mean, (moving_mean - m) * decay), the same for v
 *     result:  y = (x - moving_mean) * Rsqrt(moving_variance + eps)
 *
 * Assumes: the analysis has paired the site by evidence. Anything else on the way to an output is refused, all at once,
 * unless it is exempt or the user keeps it. Arithmetic whose parts variables follow one by one is left to rewire_followed.
 */
export const rewireBatchNorms: Pass = {
  name: 'rewire_batch_norms',
  run(context) {
    const live = ancestors(
      context.graph,
      context.outputs.map((ref) => ref.node),
      false,
    );
    const changed: Remark[] = [];
    const skipped: Remark[] = [];
    const refusals: Refusal[] = [];
    const repaired: BatchNorm[] = [];
    for (const site of context.batchNorms.sites) {
      if (!live.hasNamed(site.name) || site.mode === 'inference' || site.inParts) continue;
      if (context.isKept(site.name)) skipped.push({ node: site.name, text: 'left in training mode: --keep' });
      else if (site.exempt) skipped.push({ node: site.name, text: site.exempt });
      else {
        const refusal = refuse(context, site);
        if (refusal) refusals.push(refusal);
        else {
          repaired.push(site);
          changed.push({ node: site.name, text: site.statistics!.evidence.text });
        }
      }
    }
    if (refusals.length > 0) throw refused(refusals);
    const rewire = rewireContext(context);
    for (const site of repaired) {
      if (site.moments) rewireMoments(rewire, site, site.moments);
      else rewireFused(rewire, site, live);
    }
    return { changed, skipped };
  },
};

function refuse({ checkpoint, allowUntrained }: PassContext, site: BatchNorm): Refusal | undefined {
  if (!site.statistics) return { site, why: site.problem ?? 'no moving statistics', kind: 'unpaired' };
  const problem = checkHealth(site.statistics, checkpoint);
  if (problem?.kind === 'missing') return { site, why: problem.why, kind: 'missing' };
  if (problem?.kind === 'untrained') return allowUntrained ? undefined : { site, why: problem.why, kind: 'untrained' };
  return problem && { site, why: problem.why, kind: 'unsound' };
}

function rewireFused(context: Rewire, site: BatchNorm, live: NodeSet): void {
  const { graph } = context;
  const node = graph.get(site.name);
  const { mean, variance } = site.statistics!;
  const dtype = attrType(node, node.op === 'FusedBatchNorm' ? 'T' : 'U') ?? DataType.DT_FLOAT;
  const statisticsFor = ({ name }: Node) =>
    [mean, variance].map((variable) =>
      statisticRef(context, name, variable, dtype, variable.shape?.length === 1 ? undefined : [-1]),
    ) as [TensorRef, TensorRef];
  const [meanRef, varianceRef] = statisticsFor(node);
  graph.setInputs(node, [...node.inputs.slice(0, 3), meanRef, varianceRef]);
  // Somebody else may read the batch statistics (quantisation-aware training folds by hand): not Bessel's correction.
  graph.replaceUses({ node: node.name, port: 1 }, meanRef);
  for (const consumer of graph.consumers({ node: node.name, port: 2 })) {
    if (isBesselFactor(graph, consumer, node.name)) graph.replaceUses({ node: consumer.name, port: 0 }, varianceRef);
  }
  graph.replaceUses({ node: node.name, port: 2 }, varianceRef);
  // Where the net answers gradients: those of inference take the statistics for constants.
  for (const consumer of graph.consumers({ node: node.name, port: 3 })) {
    if (!live.has(consumer) || !isTrainingGradient(consumer)) continue;
    graph.setInputs(consumer, [
      ...consumer.inputs.slice(0, 3),
      ...statisticsFor(consumer),
      ...consumer.inputs.slice(5),
    ]);
    graph.setAttr(consumer, 'is_training', attr.bool(false));
  }
  graph.setAttr(node, 'is_training', attr.bool(false));
  graph.removeAttrs(node, ['exponential_avg_factor']);
}

const scales = anyOf('multiply', 'divide');

/** Whether an op multiplies the variance by a factor that counts elements: (n - 1) / n. */
function isBesselFactor(graph: Graph, node: Node, site: string): boolean {
  if (!scales(node)) return false;
  const factor = node.inputs.find((ref) => ref.node !== site);
  if (!factor) return false;
  const seen = new Set([factor.node]);
  for (const name of seen) {
    const at = graph.find(name);
    if (!at || seen.size > 20) return false;
    if (at.op === 'Size' || at.op === 'Shape') return true;
    for (const ref of at.inputs) seen.add(ref.node);
  }
  return false;
}

/** Puts the moving statistics in place of every tensor that carries the batch's, in the shape of each. */
function rewireMoments(context: Rewire, site: BatchNorm, moments: MomentsSite): void {
  const { mean, variance, evidence } = site.statistics!;
  const follows = (ref: TensorRef, variable: Variable) =>
    evidence.kind !== 'update op' ||
    context.batchNorms.averages.get(refText(ref))?.some((average) => average.variable.node === variable.node);
  for (const [refs, variable] of [
    [moments.mean, mean],
    [moments.variance, variance],
  ] as const) {
    for (const ref of refs) if (follows(ref, variable)) rewireStatistic(context, ref, variable);
  }
}
