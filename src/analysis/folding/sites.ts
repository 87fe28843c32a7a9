import { attrBool } from '../../graph/attrs.js';
import { DataType } from '../../graph/dtype.js';
import type { Node, TensorRef } from '../../graph/node.js';
import { sourceOf, topologicalOrder } from '../../graph/walk.js';
import { isIdentity } from '../../ops/meaning.js';
import type { Remark } from '../../passes/pass.js';
import { type Affine, type AffineOp, affineOp, BATCH_NORMS, compose, DECOMPOSED, isOnes } from './affine.js';
import { type Refusal, refusal } from './refusal.js';
import type { FoldView } from './view.js';

/** Ops that follow each other, each of which scales or shifts by constants, as one: y = scale * x + shift. */
export interface Site {
  /** The last of them, whose name goes on answering. */
  readonly last: Node;
  readonly members: readonly AffineOp[];
  readonly x: TensorRef;
  readonly affine: Affine;
  readonly dtype: DataType;
  /** Ops of batch norms among the members: nodes and what they are. */
  readonly batchNorms: readonly { readonly name: string; readonly form: string }[];
  /** What the members cost at run time. */
  readonly cost: number;
}

/** Whether a site is worth folding: it is a batch norm, or it multiplies. */
export function multiplies({ affine, batchNorms }: Site): boolean {
  return batchNorms.length > 0 || !isOnes(affine.scale);
}

const known = new WeakMap<FoldView, readonly Site[]>();

/** All sites, in the order in which they are computed. */
export function findSites(view: FoldView): readonly Site[] {
  const sites = known.get(view) ?? searchSites(view);
  known.set(view, sites);
  return sites;
}

function searchSites(view: FoldView): Site[] {
  const ops = new Map<string, AffineOp>();
  for (const node of topologicalOrder(view.graph)) {
    const op = affineOp(view, node);
    if (op) ops.set(node.name, op);
  }
  // From the end: a run of ops begins where no other one goes on.
  const runs: AffineOp[][] = [];
  const taken = new Set<string>();
  for (const op of [...ops.values()].reverse()) {
    if (!taken.has(op.node.name)) runs.push(runEndingWith(view, ops, op, taken));
  }
  // What scales a constant makes weights.
  const isData = ({ x }: Site) => view.graph.find(sourceOf(view.graph, x, isIdentity).node)?.op !== 'Const';
  return runs
    .reverse()
    .flatMap((run) => siteOf(run) ?? [])
    .filter(isData);
}

function runEndingWith(view: FoldView, ops: Map<string, AffineOp>, last: AffineOp, taken: Set<string>): AffineOp[] {
  const run = [last];
  let affine = last.affine;
  taken.add(last.node.name);
  for (let first = last; ; ) {
    const before = first.x.port === 0 ? ops.get(first.x.node) : undefined;
    const goesOn =
      before && !taken.has(before.node.name) && before.dtype === last.dtype && goesOnAlone(view, before, first);
    const together = goesOn && compose(before.affine, affine);
    if (!together) return run.reverse();
    affine = together;
    run.push(before);
    taken.add(before.node.name);
    first = before;
  }
}

/** Whether nothing but the next op reads a result, in any way. */
function goesOnAlone(view: FoldView, { node }: AffineOp, next: AffineOp): boolean {
  const { graph } = view;
  const consumers = graph.dataConsumers(node.name);
  if (consumers.length !== 1 || view.whyNotRemovable(node)) return false;
  return next.node.inputs.filter((ref) => ref.node === node.name).length === 1;
}

function siteOf(run: readonly AffineOp[]): Site | undefined {
  // Nothing is gained by an op that hands on at the beginning or the end, and its name may be wanted.
  const from = run.findIndex(({ cost }) => cost > 0);
  if (from < 0) return undefined;
  const members = run.slice(from, run.findLastIndex(({ cost }) => cost > 0) + 1);
  const [first, ...rest] = members;
  let affine: Affine | undefined = first!.affine;
  for (const op of rest) affine = affine && compose(affine, op.affine);
  if (!affine) return undefined;
  return {
    last: members.at(-1)!.node,
    members,
    x: first!.x,
    affine,
    dtype: first!.dtype,
    batchNorms: batchNormsOf(members),
    cost: members.reduce((sum, op) => sum + op.cost, 0),
  };
}

/** A remark for each batch norm of a site; for arithmetic, for its last op. */
export function remarks({ batchNorms, last }: Site, text: string): Remark[] {
  const names = batchNorms.length > 0 ? batchNorms.map(({ name }) => name) : [last.name];
  return names.map((node) => ({ node, text }));
}

/** Number of dimensions of what a site reads. */
export function rankOfSite(view: FoldView, { x, members }: Site): number | undefined {
  return view.rankOf(x) ?? view.rankOf({ node: members[0]!.node.name, port: 0 });
}

/** How much larger than the result a number on the way may be, before digits are missed in the result. */
const GROWTH: Partial<Record<DataType, number>> = {
  [DataType.DT_FLOAT]: 32,
  [DataType.DT_DOUBLE]: 1e6,
  [DataType.DT_HALF]: 4,
  [DataType.DT_BFLOAT16]: 4,
};

/** Whether a site keeps its digits when its shift is added to the product. */
export function isSteady({ affine, dtype }: Site): boolean {
  return affine.growth <= GROWTH[dtype]!;
}

/** Arithmetic is told by its last op. */
function batchNormsOf(members: readonly AffineOp[]): Site['batchNorms'] {
  const fused = members.filter(({ batchNorm }) => batchNorm !== undefined && batchNorm !== DECOMPOSED);
  if (fused.length > 0) return fused.map(({ node, batchNorm }) => ({ name: node.name, form: batchNorm! }));
  const isNorm = members.some(({ batchNorm }) => batchNorm === DECOMPOSED);
  return isNorm ? [{ name: members.at(-1)!.node.name, form: DECOMPOSED }] : [];
}

/** Batch norms that are no sites, with the reason. */
export function findUnfoldable(view: FoldView): { name: string; form: string; refusal: Refusal }[] {
  const found: { name: string; form: string; refusal: Refusal }[] = [];
  for (const node of view.graph.nodes()) {
    const isNorm = BATCH_NORMS.has(node.op) || /^(_FusedBatchNormEx|BatchNormWithGlobalNormalization)$/.test(node.op);
    if (!isNorm || affineOp(view, node)) continue;
    found.push({ name: node.name, form: node.op, refusal: refusal(whyUnfoldable(view, node), true) });
  }
  return found;
}

function whyUnfoldable(view: FoldView, node: Node): string {
  if (view.isKept(node.name)) return '--keep';
  const isInference = attrBool(node, 'is_training') === false || node.op === 'BatchNormWithGlobalNormalization';
  if (!isInference) return 'it is in training mode';
  const used = view.graph.usedPorts(node.name).filter((port) => port !== 0);
  if (used.length > 0) return `its outputs ${used.join(', ')} are in use`;
  const index = node.inputs.findIndex((ref, i) => i > 0 && !view.constants.vector(ref));
  if (index > 0) return `its parameter ${node.inputs[index]!.node} is no constant`;
  return 'its parameters do not fit together';
}
