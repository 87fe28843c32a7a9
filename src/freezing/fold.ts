import type { FoldContext } from '../analysis/folding/context.js';
import { costOf } from '../analysis/folding/cost.js';
import { parseTensorName } from '../analysis/training/outputs.js';
import { checkOptions } from '../check_options.js';
import type { Graph } from '../graph/graph.js';
import type { Model } from '../graph/model.js';
import { anyOf } from '../ops/meaning.js';
import { foldFusedActivations } from '../passes/fold_fused_activations.js';
import { foldIntoNext } from '../passes/fold_into_next.js';
import { foldIntoPrevious } from '../passes/fold_into_previous.js';
import type { FoldPass } from '../passes/fold_outcome.js';
import { foldReshapes } from '../passes/fold_reshapes.js';
import { foldToMulAdd } from '../passes/fold_to_mul_add.js';
import { runPipeline } from '../passes/pipeline.js';
import { type EncodedGraph, encodeGraphDef } from '../writers/graph_def.js';
import { type FoldedSite, FoldedSites, type FoldReport } from './fold_report.js';
import { freeze } from './freeze.js';
import { FREEZE_OPTIONS, type FreezeOptions } from './options.js';
import { nameMatcher } from './resolve_options.js';
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

/** Each place has its reason. The list is run until nothing changes: what is folded may bring others together. */
export const FOLD_PIPELINE: readonly FoldPass[] = [
  // First, where nothing has to be added to the graph.
  foldIntoPrevious,
  // Only what is left: here a bias is needed that was not there.
  foldIntoNext,
  // What can be folded nowhere.
  foldToMulAdd,
  // Last: parameters and reshapes that stood around batch norms lead nowhere now.
  foldReshapes,
];

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
  const folded = foldGraph({
    graph,
    outputs: report.outputs.map(({ name }) => parseTensorName(name)),
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
      folded,
      cost: { before, after: costOf(graph) },
    },
  };
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
  runPipeline([foldFusedActivations], context);
  // A round that changes the graph leaves fewer ops in it, or cheaper ones.
  for (let before = -1; before !== graph.version; ) {
    before = graph.version;
    sites.find(context);
    for (const { outcomes } of runPipeline(FOLD_PIPELINE, context)) for (const outcome of outcomes) sites.note(outcome);
  }
  assertStillFed(fed, fedBy(graph, outputs));
  return sites.reported();
}

const isBatchNorm = anyOf('fused_batch_norm', 'fused_batch_norm_activation');

/** Bodies of conditions and loops that are functions are left as they are. */
function functionNotes({ header }: Graph): string[] {
  const bodies = (header.library?.function ?? []).filter(({ node_def }) =>
    (node_def ?? []).some(({ op }) => isBatchNorm({ op: op ?? '' })),
  );
  const names = bodies.map(({ signature }) => signature?.name ?? '').join(', ');
  return bodies.length > 0 ? [`batch norms in functions are not folded: ${names}`] : [];
}

function opsOf(graph: Graph): number {
  return new Set([...graph.nodes()].map(({ op }) => op)).size;
}
