import type { FoldContext } from '../analysis/folding/context.js';
import { costOf } from '../analysis/folding/cost.js';
import { checkOptions } from '../check_options.js';
import type { Graph } from '../graph/graph.js';
import type { Model } from '../graph/model.js';
import { anyOf } from '../ops/meaning.js';
import type { Outcome } from '../passes/outcome.js';
import { EVALUATE_PIPELINE, FOLD_PIPELINE, runPipeline, UNFUSE_PIPELINE } from '../passes/pipeline.js';
import { type EncodedGraph, layOutGraphDef, withinLimit } from '../writers/graph_def.js';
import { analyse } from './analyse.js';
import { checkedToRun, finish, frozenGraph } from './apply.js';
import { type FoldedSite, FoldedSites, type FoldReport } from './fold_report.js';
import { nameMatcher } from './name_matcher.js';
import type { Notice } from './notices.js';
import { FREEZE_OPTIONS, type FreezeOptions } from './options.js';
import { freezeReport } from './report.js';
import { assertStillFed, fedBy } from './still_fed.js';
import type { TargetName } from './target_names.js';
import { targetNamed } from './targets.js';

/** Options of {@link fold}: those of `freeze`, plus its own. */
export interface FoldOptions extends FreezeOptions {
  /** Copy a kernel that is also used elsewhere if a batch norm could not be folded into it otherwise. */
  readonly duplicateWeights?: boolean;
}

/** A frozen graph without batch norms, ready to be written. */
export interface FoldedModel {
  /** What it was made from. */
  readonly model: Model;
  readonly graph: Graph;
  readonly report: FoldReport;
  /** The binary GraphDef; weights are read and scaled while its chunks are consumed. Throws beyond 2 GiB, as that of `freeze`. */
  readonly encoded: EncodedGraph;
  /** The program that it was made for, if the options named one. */
  readonly target?: TargetName | undefined;
}

/**
 * Freezes a model as `freeze` does, and folds its batch norms into neighbouring weights. The outputs are those of the
 * frozen graph, up to rounding.
 *
 * @throws BnfixError as `freeze` does; a batch norm that cannot be folded is not an error: it stays, and the report says why
 * @example
 * import { fold, load, writeGraph } from 'bnfix';
 * const model = await load('model.meta');
 * const folded = fold(model);
 * await writeGraph('folded.pb', folded);
 * folded.report.folded.map(({ action }) => action); // ['previous', 'previous', 'previous', 'previous']
 * model.close();
 */
export function fold(model: Model, options: FoldOptions = {}): FoldedModel {
  checkOptions('fold', options, { ...FREEZE_OPTIONS, duplicateWeights: 'boolean' });
  const { duplicateWeights = false, ...freezeOptions } = options;
  const analysis = analyse(model, freezeOptions);
  const { graph, outcomes, fed } = frozenGraph(analysis);
  const before = costOf(graph);
  const isKept = nameMatcher(options.keep ?? []);
  runPipeline(EVALUATE_PIPELINE, { graph, outputs: analysis.outputs.refs, isKept });
  const keepsFused = targetNamed(options.target).hasBatchNorm;
  const sites = foldGraph({ graph, outputs: analysis.outputs.refs, duplicateWeights, keepsFused, isKept });
  const finished = finish(analysis, graph, fed);
  const folded = withFinalNames(sites, finished.outcomes);
  const all = [...outcomes, ...finished.outcomes];
  const obstacles = checkedToRun(analysis, graph, finished.outputs);
  const layout = layOutGraphDef(graph);
  const report = freezeReport(analysis, graph, {
    outcomes: all,
    outputs: finished.outputs,
    byteLength: layout.byteLength,
    obstacles,
  });
  const notices = [...report.notices, ...functionNotices(graph)];
  return {
    model,
    graph,
    target: options.target,
    report: { ...report, notices, folded, cost: { before, after: costOf(graph) } },
    get encoded() {
      return withinLimit(layout);
    },
  };
}

/** Ops that took over the name of an output are reported by that name. */
function withFinalNames(sites: readonly FoldedSite[], outcomes: readonly Outcome[]): FoldedSite[] {
  const names = new Map<string, string>();
  const given = new Map<string, string>();
  for (const outcome of outcomes) {
    if (outcome.kind === 'renamed') names.set(outcome.node, outcome.to);
    else if (outcome.kind === 'output_name' && outcome.tensor.port === 0) given.set(outcome.tensor.node, outcome.name);
  }
  const finalName = (name: string) => {
    const kept = names.get(name) ?? name;
    return given.get(kept) ?? kept;
  };
  return sites.map((site) => ({ ...site, into: site.into.map(finalName) }));
}

/**
 * Folds the batch norms of a frozen graph, in place.
 *
 * @returns the result for each
 * @throws BnfixError `internal` when an output lost an input: the graph must not be used then
 */
export function foldGraph(context: FoldContext): readonly FoldedSite[] {
  const { graph, outputs } = context;
  const fed = fedBy(graph, outputs);
  const sites = new FoldedSites();
  // Its batch norm is one like others then.
  runPipeline(UNFUSE_PIPELINE, context);
  // Terminates: each round that changes the graph leaves fewer or cheaper ops.
  for (let before = -1; before !== graph.version; ) {
    before = graph.version;
    sites.find(context);
    for (const outcome of runPipeline(FOLD_PIPELINE, context)) sites.note(outcome);
  }
  assertStillFed(fed, fedBy(graph, outputs));
  return sites.reported();
}

const isBatchNorm = anyOf('fused_batch_norm', 'fused_batch_norm_activation');

/** Functions that are bodies of conditions and loops are not folded. */
function functionNotices({ header }: Graph): Notice[] {
  const bodies = (header.library?.function ?? []).filter(({ node_def }) =>
    (node_def ?? []).some(({ op }) => isBatchNorm({ op: op ?? '' })),
  );
  const functions = bodies.map(({ signature }) => signature?.name ?? '');
  return functions.length > 0 ? [{ code: 'functions_not_folded', functions }] : [];
}
