import { type BatchNorm, isTrainingFused } from '../analysis/batch_norms.js';
import { checkHealth } from '../analysis/health.js';
import { variableValue } from '../analysis/values.js';
import type { Variable } from '../analysis/variables.js';
import { BnfixError } from '../errors.js';
import { attr, attrType } from '../graph/attrs.js';
import { DataType } from '../graph/dtype.js';
import type { Graph, Node, TensorRef } from '../graph/graph.js';
import { numberTensor } from '../graph/tensor.js';
import { ancestors } from '../graph/walk.js';
import type { Pass, PassContext, Remark } from './pass.js';

/**
 * Lets every batch norm on the way to an output use its moving statistics.
 *
 *     given:   bn = FusedBatchNormV3(x, gamma, beta, [], [])[is_training=true]
 *              AssignSub(moving_mean, (moving_mean - bn:1) * decay), the same for bn:2
 *     result:  bn = FusedBatchNormV3(x, gamma, beta, moving_mean, moving_variance)[is_training=false]
 *
 * Assumes: the analysis has paired the site by evidence. Anything else on the way to an output is refused, all at once,
 * unless it is exempt or the user keeps it.
 */
export const rewireBatchNorms: Pass = {
  name: 'rewire_batch_norms',
  run(context) {
    const { graph, outputs } = context;
    const live = ancestors(
      graph,
      outputs.map((ref) => ref.node),
      false,
    );
    const changed: Remark[] = [];
    const skipped: Remark[] = [];
    const refusals: Refusal[] = [];
    for (const site of context.batchNorms) {
      if (!live.has(site.name) || site.mode === 'inference') continue;
      if (context.isKept(site.name)) skipped.push({ node: site.name, text: 'left in training mode: --keep' });
      else if (site.exempt) skipped.push({ node: site.name, text: site.exempt });
      else {
        const refusal = repair(context, site);
        if (refusal) refusals.push(refusal);
        else changed.push({ node: site.name, text: site.statistics!.evidence.text });
      }
    }
    if (refusals.length > 0) throw refused(refusals);
    return { changed, skipped };
  },
};

interface Refusal {
  readonly site: BatchNorm;
  readonly why: string;
  readonly kind: 'unpaired' | 'untrained' | 'unsound' | 'missing';
}

function repair(context: PassContext, site: BatchNorm): Refusal | undefined {
  const { graph, weights } = context;
  if (!site.statistics) return { site, why: site.problem ?? 'no moving statistics', kind: 'unpaired' };
  const problem = checkHealth(site.statistics, weights);
  if (problem?.kind === 'missing') return { site, why: problem.why, kind: 'missing' };
  if (problem?.kind === 'untrained') {
    if (!context.allowUntrained) return { site, why: problem.why, kind: 'untrained' };
  } else if (problem) return { site, why: problem.why, kind: 'unsound' };
  const node = graph.get(site.name);
  if (!isTrainingFused(node)) return undefined;
  const { mean, variance } = site.statistics;
  const inputs = node.inputs.slice(0, 3);
  for (const variable of [mean, variance]) inputs.push(statisticRef(context, node, variable));
  graph.setInputs(node, inputs);
  graph.setAttr(node, 'is_training', attr.bool(false));
  graph.removeAttrs(node, ['exponential_avg_factor']);
  return undefined;
}

/** A tensor with the variable's value, of the dtype and rank that the op takes. */
function statisticRef({ graph, weights }: PassContext, node: Node, variable: Variable): TensorRef {
  let ref = readRef(graph, variable, weights && variableValue(variable, weights));
  const wanted = attrType(node, node.op === 'FusedBatchNorm' ? 'T' : 'U') ?? DataType.DT_FLOAT;
  const base = `${node.name}/${variable.node.split('/').at(-1)}`;
  const add = (op: string, inputs: TensorRef[], attrs: Node['attr']) =>
    ({ node: graph.add({ name: graph.freeName(`${base}/${op}`), op, inputs, attr: attrs }).name, port: 0 }) as const;
  if (variable.dtype !== wanted) {
    ref = add('Cast', [ref], { SrcT: attr.type(variable.dtype), DstT: attr.type(wanted) });
  }
  if (variable.shape && variable.shape.length !== 1) {
    const shape = graph.add({
      name: graph.freeName(`${base}/shape`),
      op: 'Const',
      tensor: numberTensor(DataType.DT_INT32, [1], [-1]),
      attr: { dtype: attr.type(DataType.DT_INT32) },
    });
    const attrs = { T: attr.type(wanted), Tshape: attr.type(DataType.DT_INT32) };
    ref = add('Reshape', [ref, { node: shape.name, port: 0 }], attrs);
  }
  return ref;
}

/** The value of a variable as a tensor: the variable itself by reference, a read of a resource, or a constant. */
function readRef(graph: Graph, variable: Variable, value: ReturnType<typeof variableValue> | undefined): TensorRef {
  if (!graph.has(variable.node)) {
    const name = graph.freeName(variable.node);
    graph.add({ name, op: 'Const', tensor: value!, attr: { dtype: attr.type(variable.dtype) } });
    return { node: name, port: 0 };
  }
  if (variable.kind === 'ref') return { node: variable.node, port: 0 };
  const name = `${variable.node}/inference_read`;
  if (!graph.has(name)) {
    const inputs = [{ node: variable.node, port: 0 }];
    graph.add({ name, op: 'ReadVariableOp', inputs, attr: { dtype: attr.type(variable.dtype) } });
  }
  return { node: name, port: 0 };
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
