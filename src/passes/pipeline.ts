import { BnfixError } from '../errors.js';
import type { Graph } from '../graph/graph.js';
import { findLooseEdge } from '../ops/loose_edges.js';
import { bypassAssignments } from './bypass_assignments.js';
import { bypassIdentityN } from './bypass_identity_n.js';
import { cleanNodes } from './clean_nodes.js';
import { cutInputs } from './cut_inputs.js';
import { foldBranches } from './fold_branches.js';
import { freezeVariables } from './freeze_variables.js';
import type { Pass, PassResult, PrepareContext } from './pass.js';
import { pinFlags } from './pin_flags.js';
import { removeDropout } from './remove_dropout.js';
import { removeRenormCorrections } from './remove_renorm_corrections.js';
import { rewireAveragedStatistics } from './rewire_averaged_statistics.js';
import { rewireBatchNorms } from './rewire_batch_norms.js';
import { squeezeSlices } from './squeeze_slices.js';
import { stripTraining } from './strip_training.js';

/** Before the analysis: what the graph is at inference. Each place has its reason. */
export const PREPARE_PIPELINE: readonly Pass<PrepareContext>[] = [
  // First: what lies before the cut is not judged.
  cutInputs,
  // Then the branches that inference takes: training on the others is nobody's concern.
  pinFlags,
  foldBranches,
  // Last: what is left is seen in one form.
  bypassIdentityN,
  squeezeSlices,
];

/** After the analysis. Each place has its reason. */
export const FREEZE_PIPELINE: readonly Pass[] = [
  // Corrections keep batch statistics on the way to the outputs: they go before the sites are judged.
  removeRenormCorrections,
  // What is assigned on the way to the outputs is read from here on.
  bypassAssignments,
  // While the variables and their update ops are still there to be read.
  rewireBatchNorms,
  // Then what is no batch norm, or only in parts.
  rewireAveragedStatistics,
  // Before stripping: keep_prob placeholders then lead nowhere.
  removeDropout,
  // Now that no output needs the batch's statistics, the training machinery leads nowhere.
  stripTraining,
  // Only what is left has to be in the checkpoint.
  freezeVariables,
  // Last: attrs and functions of what remains.
  cleanNodes,
];

export interface PassRun extends PassResult {
  readonly pass: string;
}

/** Runs passes in order; the graph is validated after each that changed it, and the culprit named. */
export function runPipeline<C extends { readonly graph: Graph }, R>(
  pipeline: readonly { readonly name: string; run(context: C): R }[],
  context: C,
): (R & { readonly pass: string })[] {
  return pipeline.map((pass) => {
    const before = context.graph.version;
    const result = pass.run(context);
    if (context.graph.version !== before) validate(context.graph, pass.name);
    return { pass: pass.name, ...result };
  });
}

function validate(graph: Graph, pass: string): void {
  const loose = findLooseEdge(graph);
  if (!loose) return;
  throw new BnfixError('internal', `${pass} left ${loose.node.name} reading ${loose.edge}, which does not exist`);
}
