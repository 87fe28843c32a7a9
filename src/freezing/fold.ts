import type { FoldContext } from '../analysis/folding/context.js';
import { type Cost, costOf } from '../analysis/folding/cost.js';
import { findSites, findUnfoldable } from '../analysis/folding/sites.js';
import { viewOf } from '../analysis/folding/view.js';
import { parseTensorName } from '../analysis/training/outputs.js';
import { checkOptions } from '../check_options.js';
import type { Graph } from '../graph/graph.js';
import type { Model } from '../graph/model.js';
import { foldFusedActivations } from '../passes/fold_fused_activations.js';
import { foldIntoNext } from '../passes/fold_into_next.js';
import { foldIntoPrevious } from '../passes/fold_into_previous.js';
import { foldReshapes } from '../passes/fold_reshapes.js';
import { foldToMulAdd } from '../passes/fold_to_mul_add.js';
import type { Pass } from '../passes/pass.js';
import { type PassRun, runPipeline } from '../passes/pipeline.js';
import { type EncodedGraph, encodeGraphDef } from '../writers/graph_def.js';
import { freeze } from './freeze.js';
import { FREEZE_OPTIONS, type FreezeOptions } from './options.js';
import type { FreezeReport } from './report.js';
import { nameMatcher } from './resolve_options.js';

/** What can be said to {@link fold}: what can be said to `freeze`, and more. */
export interface FoldOptions extends FreezeOptions {
  /** Write a kernel that is in use elsewhere a second time, where its batch norm could not be folded otherwise. */
  readonly duplicateWeights?: boolean;
}

/** What became of a batch norm (or of a product with a constant that was folded like one). */
export interface FoldedSite {
  readonly name: string;
  /** The op of the batch norm; `decomposed` for arithmetic that takes a root, `arithmetic` without one. */
  readonly form: string;
  /** `previous` and `next`: it is in the kernels of what comes before or after; `arithmetic`: it is a Mul and an Add. */
  readonly action: 'previous' | 'next' | 'arithmetic' | 'kept';
  /** Into what it was folded, or why it could not be. */
  readonly why: string;
}

/** What was done, on which evidence, and what it saves. */
export interface FoldReport extends FreezeReport {
  readonly folded: readonly FoldedSite[];
  readonly foldPasses: FreezeReport['passes'];
  readonly cost: { readonly before: Cost; readonly after: Cost };
}

/** A frozen graph without batch norms, ready to be written. */
export interface FoldedModel {
  readonly graph: Graph;
  readonly report: FoldReport;
  /** The binary GraphDef; weights are read, and scaled, while its chunks are. */
  readonly encoded: EncodedGraph;
}

/** Each place has its reason. The list is run until nothing changes: what is folded may bring others together. */
export const FOLD_PIPELINE: readonly Pass<FoldContext>[] = [
  // First, where nothing has to be added to the graph.
  foldIntoPrevious,
  // Only what is left: here a bias is needed that was not there.
  foldIntoNext,
  // What can be folded nowhere.
  foldToMulAdd,
  // Last: parameters and reshapes that stood around batch norms lead nowhere now.
  foldReshapes,
];

/** Each round folds something; graphs in which one makes another possible so often are not met. */
const MAX_ROUNDS = 20;

/**
 * Freezes a model as `freeze` does, and folds its batch norms into the weights around them. The answers are those of the
 * frozen graph, up to rounding.
 *
 * @throws BnfixError what `freeze` throws; a batch norm that cannot be folded is no error, but kept, with the reason
 */
export function fold(model: Model, options: FoldOptions = {}): FoldedModel {
  checkOptions('fold', options, { ...FREEZE_OPTIONS, duplicateWeights: 'boolean' });
  const { duplicateWeights = false, ...freezeOptions } = options;
  const { graph, report } = freeze(model, freezeOptions);
  const before = costOf(graph);
  const outputs = report.outputs.map(({ name }) => parseTensorName(name));
  const { sites, passes } = foldGraph({
    graph,
    outputs,
    inputs: [],
    flags: [],
    duplicateWeights,
    isKept: nameMatcher(options.keep ?? []),
  });
  const encoded = encodeGraphDef(graph);
  const after = { ...report.after, nodes: graph.size, ops: opsOf(graph), bytes: encoded.byteLength };
  return {
    graph,
    encoded,
    report: {
      ...report,
      notes: [...report.notes, ...functionNotes(graph)],
      after,
      folded: sites,
      foldPasses: passes,
      cost: { before, after: costOf(graph) },
    },
  };
}

/** Folds the batch norms of a frozen graph, in place. */
export function foldGraph(context: FoldContext): { sites: FoldedSite[]; passes: PassRun[] } {
  const sites = new Map<string, FoldedSite>();
  // Its batch norm is one like others then.
  const all = runPipeline([foldFusedActivations], context).filter(({ changed }) => changed.length > 0);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    for (const site of sitesOf(context)) if (!sites.has(site.name)) sites.set(site.name, site);
    const passes = runPipeline(FOLD_PIPELINE, context);
    for (const run of passes) note(sites, run);
    all.push(...passes.filter(({ changed }) => changed.length > 0));
    if (passes.every(({ changed }) => changed.length === 0)) break;
  }
  return { sites: [...sites.values()].filter(isReported), passes: all };
}

function sitesOf(context: FoldContext): FoldedSite[] {
  const view = viewOf(context);
  const found = findSites(view).flatMap(({ batchNorms, last, affine }) => {
    if (batchNorms.length > 0) return batchNorms;
    return affine.scale.values.some((x) => x !== 1) ? [{ name: last.name, form: 'arithmetic' }] : [];
  });
  return [...found, ...findUnfoldable(view)].map(({ name, form }) => ({ name, form, action: 'kept', why: '' }));
}

const ACTIONS: Readonly<Record<string, FoldedSite['action']>> = {
  fold_into_previous: 'previous',
  fold_into_next: 'next',
  fold_to_mul_add: 'arithmetic',
};

/** Puts what a pass did with each site into the report; of several reasons against folding, each is told. */
function note(sites: Map<string, FoldedSite>, { pass, changed, skipped }: PassRun): void {
  const action = ACTIONS[pass];
  if (!action) return;
  for (const { node, text } of skipped) {
    const site = sites.get(node);
    if (site?.action !== 'kept' || site.why.includes(text)) continue;
    sites.set(node, { ...site, why: site.why === '' ? text : `${site.why}; ${text}` });
  }
  for (const { node, text } of changed) {
    const site = sites.get(node);
    if (!site) continue;
    sites.set(node, { ...site, action, why: action === 'arithmetic' && site.why !== '' ? site.why : text });
  }
}

/** Products with constants are told only where something was done with them. */
function isReported({ form, action }: FoldedSite): boolean {
  return form !== 'arithmetic' || action !== 'kept';
}

/** Bodies of conditions and loops that are functions are left as they are. */
function functionNotes({ header }: Graph): string[] {
  const bodies = (header.library?.function ?? []).filter(({ node_def }) => {
    return (node_def ?? []).some(({ op }) => /^_?FusedBatchNorm(V2|V3|Ex)?$/.test(op ?? ''));
  });
  const names = bodies.map(({ signature }) => signature?.name ?? '').join(', ');
  return bodies.length > 0 ? [`batch norms in functions are not folded: ${names}`] : [];
}

function opsOf(graph: Graph): number {
  return new Set([...graph.nodes()].map(({ op }) => op)).size;
}
