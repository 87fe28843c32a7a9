import { DataType } from '../../graph/dtype.js';
import type { Node, TensorRef } from '../../graph/node.js';
import { sourceOf, topologicalOrder } from '../../graph/walk.js';
import { isIdentity } from '../../ops/meaning.js';
import { affineOp, compose, DECOMPOSED, isOnes } from './affine.js';
import type { Affine, AffineOp } from './affine_op.js';
import type { FoldView } from './view.js';

/** A batch norm: a node, and its op or {@link DECOMPOSED}. */
export interface FoundBatchNorm {
  readonly name: string;
  readonly pattern: string;
}

/** A run of consecutive ops that scale or shift by constants, as one: y = scale * x + shift. */
export interface Site {
  /** The last of them, whose name is kept. */
  readonly last: Node;
  readonly members: readonly AffineOp[];
  readonly x: TensorRef;
  readonly affine: Affine;
  readonly dtype: DataType;
  /** The batch norms among the members. */
  readonly batchNorms: readonly FoundBatchNorm[];
  /** The cost of the members at run time. */
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
  // From the end: a run of ops ends where no other op continues it.
  const runs: AffineOp[][] = [];
  const taken = new Set<string>();
  for (const op of [...ops.values()].reverse()) {
    if (!taken.has(op.node.name)) runs.push(runEndingWith(view, ops, op, taken));
  }
  // Ops that scale a constant compute weights.
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

/** Whether the next op is the only consumer of a result. */
function goesOnAlone(view: FoldView, { node }: AffineOp, next: AffineOp): boolean {
  const { graph } = view;
  const consumers = graph.dataConsumers(node.name);
  if (consumers.length !== 1 || !view.isRemovable(node)) return false;
  return next.node.inputs.filter((ref) => ref.node === node.name).length === 1;
}

function siteOf(run: readonly AffineOp[]): Site | undefined {
  // An identity at the beginning or the end gains nothing, and its name may be used.
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

/** The nodes under which a site is reported: its batch norms; for arithmetic, its last op. */
export function siteNames({ batchNorms, last }: Site): readonly string[] {
  return batchNorms.length > 0 ? batchNorms.map(({ name }) => name) : [last.name];
}

/** Number of dimensions of the input of a site. */
export function rankOfSite(view: FoldView, { x, members }: Site): number | undefined {
  return view.rankOf(x) ?? view.rankOf({ node: members[0]!.node.name, port: 0 });
}

/** How much larger than the result an intermediate number may be before the result loses digits. */
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

/** Arithmetic is named after its last op. */
function batchNormsOf(members: readonly AffineOp[]): readonly FoundBatchNorm[] {
  const fused = members.filter(({ batchNorm }) => batchNorm !== undefined && batchNorm !== DECOMPOSED);
  if (fused.length > 0) return fused.map(({ node, batchNorm }) => ({ name: node.name, pattern: batchNorm! }));
  const isNorm = members.some(({ batchNorm }) => batchNorm === DECOMPOSED);
  return isNorm ? [{ name: members.at(-1)!.node.name, pattern: DECOMPOSED }] : [];
}
