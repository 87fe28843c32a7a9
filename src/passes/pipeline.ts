import { BnfixError } from '../errors.js';
import type { Graph } from '../graph/graph.js';
import { findLooseEdge } from '../ops/loose_edges.js';
import { bypassIdentityN } from './bypass_identity_n.js';
import { cutInputs } from './cut_inputs.js';
import { foldBranches } from './fold_branches.js';
import { foldFusedActivations } from './fold_fused_activations.js';
import { foldIntoNext } from './fold_into_next.js';
import { foldIntoPrevious } from './fold_into_previous.js';
import type { FoldPass } from './fold_outcome.js';
import { foldReshapes } from './fold_reshapes.js';
import { foldToMulAdd } from './fold_to_mul_add.js';
import { freezeVariables } from './freeze_variables.js';
import { inlineFunctions } from './inline_functions.js';
import type { PassResult } from './outcome.js';
import type { BranchPlan, Pass, PreparePlan, SlicePlan } from './pass.js';
import { pinFlags } from './pin_flags.js';
import { pruneFunctions } from './prune_functions.js';
import { removeDropout } from './remove_dropout.js';
import { replaceStatistics } from './replace_statistics.js';
import { rewireBatchNorms } from './rewire_batch_norms.js';
import { squeezeSlices } from './squeeze_slices.js';
import { stripStaleAttrs } from './strip_stale_attrs.js';
import { stripTraining } from './strip_training.js';

/** Before any analysis: one graph without calls. */
export const INLINE_PIPELINE: readonly Pass<unknown>[] = [inlineFunctions];

/** What the graph is at inference: where it begins, and the value of each flag. Each place has its reason. */
export const CUT_PIPELINE: readonly Pass<PreparePlan>[] = [
  // First: nothing before the cut has to be understood.
  cutInputs,
  pinFlags,
];

/** After flags are pinned. Each place has its reason. */
export const BRANCH_PIPELINE: readonly Pass<BranchPlan>[] = [
  // Training on branches that inference does not take does not matter.
  foldBranches,
  // Shapes are known behind it now.
  bypassIdentityN,
];

/** Last before statistics are analysed: what is left has one form. */
export const SIMPLIFY_PIPELINE: readonly Pass<SlicePlan>[] = [squeezeSlices];

/** Carries out what the analysis has found. Each place has its reason. */
export const FREEZE_PIPELINE: readonly Pass[] = [
  // Fused batch norms first: what else reads their batch statistics is rewired with them.
  rewireBatchNorms,
  // While the variables and what reads them are still there.
  replaceStatistics,
  // Before stripping: keep_prob placeholders feed nothing then.
  removeDropout,
  // Now that no output needs batch statistics, the training machinery feeds nothing.
  stripTraining,
  // Only what is left has to be in the checkpoint.
  freezeVariables,
  // Last: functions and attrs of what remains.
  pruneFunctions,
  stripStaleAttrs,
];

/** Folds a frozen graph. Run until nothing changes: what is folded may bring others together. Each place has its reason. */
export const FOLD_PIPELINE: readonly FoldPass[] = [
  // First, where nothing has to be added to the graph.
  foldIntoPrevious,
  // Only what is left: here a bias is needed that was not there.
  foldIntoNext,
  // What cannot be folded into any kernel.
  foldToMulAdd,
  // Last: parameters and reshapes around batch norms feed nothing now.
  foldReshapes,
];

/** Before {@link FOLD_PIPELINE}: a batch norm in a fused op becomes one of its own. */
export const UNFUSE_PIPELINE: readonly FoldPass[] = [foldFusedActivations];

/** Runs passes in order; the graph is validated after each that changed it, and the culprit named. */
export function runPipeline<C extends { readonly graph: Graph }, O>(
  pipeline: readonly { readonly name: string; run(context: C): PassResult<O> }[],
  context: C,
): O[] {
  return pipeline.flatMap((pass) => {
    const before = context.graph.version;
    const { outcomes } = pass.run(context);
    if (context.graph.version !== before) validate(context.graph, pass.name);
    return outcomes;
  });
}

function validate(graph: Graph, pass: string): void {
  const loose = findLooseEdge(graph);
  if (!loose) return;
  throw new BnfixError('internal', `${pass} left ${loose.node.name} reading ${loose.edge}, which does not exist`);
}
