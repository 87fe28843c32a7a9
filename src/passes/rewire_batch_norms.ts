import type { BatchNorm } from '../analysis/batch_norms.js';
import { constantInts } from '../analysis/constants.js';
import { checkHealth } from '../analysis/health.js';
import type { MomentsSite } from '../analysis/moments.js';
import { type Shape, Shapes } from '../analysis/shapes.js';
import { variableValue } from '../analysis/values.js';
import type { Variable } from '../analysis/variables.js';
import { BnfixError } from '../errors.js';
import { attr, attrBool, attrInts, attrType } from '../graph/attrs.js';
import { DataType } from '../graph/dtype.js';
import { Frames } from '../graph/frames.js';
import { type Graph, type Node, refText, type TensorRef } from '../graph/graph.js';
import { outputTypes } from '../graph/ops.js';
import { numberTensor, type Tensor } from '../graph/tensor.js';
import { ancestors, sourceOf } from '../graph/walk.js';
import type { Pass, PassContext, Remark } from './pass.js';

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
 * unless it is exempt or the user keeps it.
 */
export const rewireBatchNorms: Pass = {
  name: 'rewire_batch_norms',
  run(context) {
    const { graph, outputs } = context;
    const names = outputs.map((ref) => ref.node);
    const live = ancestors(graph, names, false);
    const shapes = new Shapes(graph);
    const rewire: Rewire = { ...context, shapes, frames: new Frames(graph) };
    const changed: Remark[] = [];
    const skipped: Remark[] = [];
    const refusals: Refusal[] = [];
    const repaired: BatchNorm[] = [];
    for (const site of context.batchNorms.sites) {
      if (!live.has(site.name) || site.mode === 'inference') continue;
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
    for (const site of repaired) {
      if (site.moments) rewireMoments(rewire, site, site.moments);
      else rewireFused(rewire, site);
    }
    assertNoMomentsLeft(context, names, repaired);
    return { changed, skipped };
  },
};

/** What the rewiring knows of the graph as it was. */
interface Rewire extends PassContext {
  readonly shapes: Shapes;
  readonly frames: Frames;
}

const UNKNOWN_SIZE = -1;

interface Refusal {
  readonly site: BatchNorm;
  readonly why: string;
  readonly kind: 'unpaired' | 'untrained' | 'unsound' | 'missing';
}

function refuse({ weights, allowUntrained }: PassContext, site: BatchNorm): Refusal | undefined {
  if (!site.statistics) return { site, why: site.problem ?? 'no moving statistics', kind: 'unpaired' };
  const problem = checkHealth(site.statistics, weights);
  if (problem?.kind === 'missing') return { site, why: problem.why, kind: 'missing' };
  if (problem?.kind === 'untrained') return allowUntrained ? undefined : { site, why: problem.why, kind: 'untrained' };
  return problem && { site, why: problem.why, kind: 'unsound' };
}

function rewireFused(context: Rewire, site: BatchNorm): void {
  const { graph } = context;
  const node = graph.get(site.name);
  const { mean, variance } = site.statistics!;
  const dtype = attrType(node, node.op === 'FusedBatchNorm' ? 'T' : 'U') ?? DataType.DT_FLOAT;
  const [meanRef, varianceRef] = [mean, variance].map((variable) =>
    statisticRef(context, node.name, variable, dtype, variable.shape?.length === 1 ? undefined : [-1]),
  ) as [TensorRef, TensorRef];
  graph.setInputs(node, [...node.inputs.slice(0, 3), meanRef, varianceRef]);
  // Somebody else may read the batch statistics (quantisation-aware training folds by hand): not Bessel's correction.
  graph.replaceUses({ node: node.name, port: 1 }, meanRef);
  for (const consumer of graph.consumers({ node: node.name, port: 2 })) {
    if (isBesselFactor(graph, consumer, node.name)) graph.replaceUses({ node: consumer.name, port: 0 }, varianceRef);
  }
  graph.replaceUses({ node: node.name, port: 2 }, varianceRef);
  graph.setAttr(node, 'is_training', attr.bool(false));
  graph.removeAttrs(node, ['exponential_avg_factor']);
}

/** Whether an op multiplies the variance by a factor that counts elements: (n - 1) / n. */
function isBesselFactor(graph: Graph, node: Node, site: string): boolean {
  if (node.op !== 'Mul' && node.op !== 'RealDiv') return false;
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

function rewireStatistic(context: Rewire, ref: TensorRef, variable: Variable): void {
  const { graph, shapes } = context;
  const node = graph.get(ref.node);
  if (graph.consumers(ref).length === 0) return;
  // What is assigned to a variable has its shape.
  const averages = context.batchNorms.averages.get(refText(ref)) ?? [];
  const assigned = averages.some((average) => average.variable.node === variable.node && average.path.length === 1);
  const shape = assigned ? 'same' : shapeLike(variable.shape, shapes.of(ref) ?? deducedShape(graph, ref, variable));
  if (shape === 'unknown') return;
  const dtype = outputTypes(node)?.[ref.port] ?? variable.dtype;
  const to = statisticRef(context, node.name, variable, dtype, shape === 'same' ? undefined : shape);
  graph.replaceUses(ref, to);
}

/** Of an activation whose rank is not known, the statistics of one channel axis still tell theirs. */
function deducedShape(graph: Graph, ref: TensorRef, variable: Variable): Shape {
  const node = graph.get(sourceOf(graph, ref).node);
  if (node.op === 'Squeeze') return attrInts(node, 'squeeze_dims')?.length ? [UNKNOWN_SIZE] : undefined;
  if (node.op !== 'Mean' && node.op !== 'Sum') return undefined;
  const axes = constantInts(graph, node.inputs[1]);
  if (!axes || axes.some((axis) => axis < 0)) return undefined;
  if (!attrBool(node, 'keep_dims')) return [UNKNOWN_SIZE];
  if (variable.shape && variable.shape.length > 1) return variable.shape;
  return Array.from({ length: axes.length + 1 }, (_, axis) => (axes.includes(axis) ? 1 : UNKNOWN_SIZE));
}

/** The shape in which a variable stands for a tensor of shape `wanted`: its channels where that has them, 1 elsewhere. */
function shapeLike(own: Shape, wanted: Shape): 'same' | 'unknown' | readonly number[] {
  if (!own || !wanted) return own && !wanted ? 'unknown' : 'same';
  if (own.length === wanted.length) return 'same';
  const channels = own.reduce((product, size) => product * size, 1);
  if (channels === 1) return wanted.map(() => 1);
  const exact = wanted.flatMap((size, axis) => (size === channels ? [axis] : []));
  const open = wanted.flatMap((size, axis) => (size === 1 ? [] : [axis]));
  const at = exact.length === 1 ? exact[0] : open.length === 1 ? open[0] : undefined;
  return at === undefined ? 'unknown' : wanted.map((_, axis) => (axis === at ? channels : 1));
}

/** A tensor with the variable's value, of the given dtype and shape. */
function statisticRef(
  { graph, weights, frames }: Rewire,
  scope: string,
  variable: Variable,
  dtype: DataType,
  shape: readonly number[] | undefined,
): TensorRef {
  let ref = readRef(graph, variable, weights && variableValue(variable, weights));
  const frame = frames.of(scope);
  const base = `${scope}/${variable.node.split('/').at(-1)}`;
  const add = (op: string, inputs: TensorRef[], attrs: Node['attr']): TensorRef => {
    const { name } = graph.add({ name: graph.freeName(`${base}/${op}`), op, inputs, attr: attrs });
    return { node: name, port: 0 };
  };
  if (variable.dtype !== dtype) ref = add('Cast', [ref], { SrcT: attr.type(variable.dtype), DstT: attr.type(dtype) });
  if (shape) {
    const target = graph.add({
      name: graph.freeName(`${base}/shape`),
      op: 'Const',
      tensor: numberTensor(DataType.DT_INT32, [shape.length], shape),
      attr: { dtype: attr.type(DataType.DT_INT32) },
    });
    const attrs = { T: attr.type(dtype), Tshape: attr.type(DataType.DT_INT32) };
    ref = add('Reshape', [ref, { node: target.name, port: 0 }], attrs);
  }
  return frames.bring(ref, dtype, frame);
}

/** The value of a variable as a tensor: the variable itself by reference, a read of a resource, or a constant. */
function readRef(graph: Graph, variable: Variable, value: Tensor | undefined): TensorRef {
  const node = graph.find(variable.node);
  if (!node) {
    graph.add({ name: variable.node, op: 'Const', tensor: value!, attr: { dtype: attr.type(variable.dtype) } });
    return { node: variable.node, port: 0 };
  }
  if (node.op !== 'VarHandleOp') return { node: variable.node, port: 0 };
  const name = `${variable.node}/inference_read`;
  if (!graph.has(name)) {
    const inputs = [{ node: variable.node, port: 0 }];
    graph.add({ name, op: 'ReadVariableOp', inputs, attr: { dtype: attr.type(variable.dtype) } });
  }
  return { node: name, port: 0 };
}

/**
 * A repaired site must not need its batch any more, and no statistic that a variable follows may still be in use: if so,
 * the analysis was wrong about it, and nothing is written.
 */
function assertNoMomentsLeft(context: PassContext, outputs: readonly string[], repaired: readonly BatchNorm[]): void {
  const { graph, batchNorms, variables, isKept } = context;
  const live = ancestors(graph, outputs, false);
  const fail = (name: string, left: string) => {
    throw new BnfixError('unsupported', `${name} normalises with the batch in a way that cannot be rewired`, {
      where: name,
      why: `${left} is on the way to an output even with the moving statistics in place`,
      fix: `--keep ${name} leaves it as it is, or choose other --outputs`,
    });
  };
  for (const { name, moments } of repaired) {
    const left = moments?.reductions.find((reduction) => live.has(reduction));
    if (left !== undefined) fail(name, left);
  }
  const kept = new Set<string>();
  for (const { name, moments } of batchNorms.sites) {
    if (isKept(name))
      for (const ref of [...(moments?.mean ?? []), ...(moments?.variance ?? [])]) kept.add(refText(ref));
  }
  for (const [key, [average]] of batchNorms.averages) {
    const { statistic, variable } = average!;
    const node = graph.find(statistic.node);
    if (!node || !live.has(node.name) || kept.has(key) || isKept(node.name)) continue;
    // Ranges of quantisation are averaged, too; fused ops have been judged as sites.
    if (/^(Min|Max|FusedBatchNorm.*)$/.test(node.op) || variables.readBy(statistic)) continue;
    fail(node.name, `${node.name}, which ${variable.node} follows,`);
  }
}

const SHOWN = 8;

/** One error for all sites: what each lacks, and the ways out. */
function refused(refusals: readonly Refusal[]): BnfixError {
  const kinds = new Set(refusals.map((refusal) => refusal.kind));
  const names = refusals.slice(0, SHOWN).map(({ site, why }) => `${site.name}: ${why}`);
  if (refusals.length > SHOWN) names.push(`and ${refusals.length - SHOWN} more`);
  const first = refusals[0]!.site.name;
  const fixes: string[] = [];
  if (kinds.has('untrained')) fixes.push('--allow-untrained takes statistics that were never updated as they are');
  if (kinds.has('unpaired')) fixes.push(`--map ${first}=MEAN,VARIANCE names the variables that hold its statistics`);
  if (kinds.has('missing')) fixes.push('--checkpoint PREFIX names the checkpoint that was saved with this graph');
  if (kinds.has('unsound')) fixes.push('take a checkpoint from before the training diverged (--checkpoint)');
  fixes.push(`--keep ${first} leaves it in training mode (it will go on using each batch's own statistics)`);
  const many = refusals.length === 1 ? '1 batch norm' : `${refusals.length} batch norms`;
  const what =
    kinds.size === 1 && kinds.has('untrained') ? 'statistics that were never trained' : 'no usable moving statistics';
  return new BnfixError('statistics', `${many} in training mode: ${what}`, {
    where: refusals.length === 1 ? first : `${first} and ${refusals.length - 1} more`,
    why: names.join('\n'),
    fix: fixes.join('\n'),
  });
}
