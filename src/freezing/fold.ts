import type { FoldContext } from '../analysis/folding/context.js';
import { costOf } from '../analysis/folding/cost.js';
import { checkOptions } from '../check_options.js';
import type { Graph } from '../graph/graph.js';
import type { Model } from '../graph/model.js';
import { anyOf } from '../ops/meaning.js';
import { FOLD_PIPELINE, runPipeline, UNFUSE_PIPELINE } from '../passes/pipeline.js';
import { type EncodedGraph, encodeGraphDef } from '../writers/graph_def.js';
import { analyse } from './analyse.js';
import { frozenGraph } from './apply.js';
import { type FoldedSite, FoldedSites, type FoldReport } from './fold_report.js';
import { nameMatcher } from './name_matcher.js';
import type { Notice } from './notices.js';
import { FREEZE_OPTIONS, type FreezeOptions } from './options.js';
import { freezeReport } from './report.js';
import { assertStillFed, fedBy } from './still_fed.js';

/** Options of {@link fold}: those of `freeze`, and more. */
export interface FoldOptions extends FreezeOptions {
  /** Write a kernel that is in use elsewhere a second time, where its batch norm could not be folded otherwise. */
  readonly duplicateWeights?: boolean;
}

/** A frozen graph without batch norms, ready to be written. */
export interface FoldedModel {
  readonly graph: Graph;
  readonly report: FoldReport;
  /** The binary GraphDef; weights are read, and scaled, while its chunks are. */
  readonly encoded: EncodedGraph;
}

/**
 * Freezes a model as `freeze` does, and folds its batch norms into the weights around them. The answers are those of the
 * frozen graph, up to rounding.
 *
 * @throws BnfixError what `freeze` throws; a batch norm that cannot be folded is no error, but kept, with the reason
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
  const { graph, outcomes } = frozenGraph(analysis);
  const before = costOf(graph);
  const folded = foldGraph({
    graph,
    outputs: analysis.outputs.refs,
    duplicateWeights,
    isKept: nameMatcher(options.keep ?? []),
  });
  const encoded = encodeGraphDef(graph);
  const report = freezeReport(analysis, graph, outcomes, encoded.byteLength);
  const notices = [...report.notices, ...functionNotices(graph)];
  return { graph, encoded, report: { ...report, notices, folded, cost: { before, after: costOf(graph) } } };
}

/**
 * Folds the batch norms of a frozen graph, in place.
 *
 * @returns what became of each
 * @throws BnfixError `internal` when an output lost an input: nothing of the graph may be used then
 */
export function foldGraph(context: FoldContext): readonly FoldedSite[] {
  const { graph, outputs } = context;
  const fed = fedBy(graph, outputs);
  const sites = new FoldedSites();
  // Its batch norm is one like others then.
  runPipeline(UNFUSE_PIPELINE, context);
  // A round that changes the graph leaves fewer ops in it, or cheaper ones.
  for (let before = -1; before !== graph.version; ) {
    before = graph.version;
    sites.find(context);
    for (const outcome of runPipeline(FOLD_PIPELINE, context)) sites.note(outcome);
  }
  assertStillFed(fed, fedBy(graph, outputs));
  return sites.reported();
}

const isBatchNorm = anyOf('fused_batch_norm', 'fused_batch_norm_activation');

/** Bodies of conditions and loops that are functions are left as they are. */
function functionNotices({ header }: Graph): Notice[] {
  const bodies = (header.library?.function ?? []).filter(({ node_def }) =>
    (node_def ?? []).some(({ op }) => isBatchNorm({ op: op ?? '' })),
  );
  const functions = bodies.map(({ signature }) => signature?.name ?? '');
  return functions.length > 0 ? [{ code: 'functions_not_folded', functions }] : [];
}
