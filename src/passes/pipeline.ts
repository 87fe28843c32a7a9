import { BnfixError } from '../errors.js';
import type { Graph } from '../graph/graph.js';
import { findLooseEdge } from '../ops/loose_edges.js';
import { bypassIdentityN } from './bypass_identity_n.js';
import { cutInputs } from './cut_inputs.js';
import { dropNeutralOps } from './drop_neutral_ops.js';
import { evaluateConstants, evaluateParameters } from './evaluate_constants.js';
import { evaluateShapes } from './evaluate_shapes.js';
import { fixInputShapes } from './fix_input_shapes.js';
import { foldBranches } from './fold_branches.js';
import { foldFusedActivations } from './fold_fused_activations.js';
import { foldIntoNext } from './fold_into_next.js';
import { foldIntoPrevious } from './fold_into_previous.js';
import type { FoldPass } from './fold_outcome.js';
import { foldReshapes } from './fold_reshapes.js';
import { foldToMulAdd } from './fold_to_mul_add.js';
import { freezeVariables } from './freeze_variables.js';
import { initializeTables } from './initialize_tables.js';
import { inlineFunctions } from './inline_functions.js';
import { keepPrintedNames } from './keep_printed_names.js';
import { liftFromLoops } from './lift_from_loops.js';
import { nameOutputs } from './name_outputs.js';
import type { PassResult } from './outcome.js';
import type {
  AssignedPlan,
  BranchPlan,
  FinishPlan,
  LiftPlan,
  NamePlan,
  Pass,
  PreparePlan,
  ReplicaPlan,
  ShapePlan,
  SlicePlan,
} from './pass.js';
import { pinFlags } from './pin_flags.js';
import { pruneFunctions } from './prune_functions.js';
import { readAssignedValues } from './read_assigned_values.js';
import { removeDropout } from './remove_dropout.js';
import { removeReplicas } from './remove_replicas.js';
import { renameOutputs } from './rename_outputs.js';
import { replaceGlobalBatchNorms } from './replace_global_batch_norms.js';
import { replaceStatistics } from './replace_statistics.js';
import { rewireBatchNorms } from './rewire_batch_norms.js';
import { splitActivations } from './split_activations.js';
import { squeezeSlices } from './squeeze_slices.js';
import { stripStaleAttrs } from './strip_stale_attrs.js';
import { stripTraining } from './strip_training.js';
import { writeDefaultAttrs } from './write_default_attrs.js';

/** Before any analysis: inlines function calls, then splits what an optimizer has fused, in functions as well. */
export const INLINE_PIPELINE: readonly Pass<unknown>[] = [inlineFunctions, splitActivations];

/** After inlining, and once more when the outputs are known: one replica of what runs on TPUs. */
export const REPLICA_PIPELINE: readonly Pass<ReplicaPlan>[] = [removeReplicas];

/** After branches: what does not depend on loop variables leaves the loop. */
export const LIFT_PIPELINE: readonly Pass<LiftPlan>[] = [liftFromLoops];

/** Turns the graph into its inference state: cuts inputs and pins flags. The order matters, as noted. */
export const CUT_PIPELINE: readonly Pass<PreparePlan>[] = [
  // First: nodes before the cut need no analysis.
  cutInputs,
  pinFlags,
];

/** After flags are pinned. The order matters, as noted. */
export const BRANCH_PIPELINE: readonly Pass<BranchPlan>[] = [
  // Training ops on untaken branches do not matter.
  foldBranches,
  // Shapes are now known after the branches.
  bypassIdentityN,
];

/** Last before statistics are analysed: normalises the remaining graph. */
export const SIMPLIFY_PIPELINE: readonly Pass<SlicePlan>[] = [squeezeSlices];

/** Once it is known what variables average. */
export const READ_PIPELINE: readonly Pass<AssignedPlan>[] = [readAssignedValues];

/** Applies the plan of the analysis. The order matters, as noted. */
export const FREEZE_PIPELINE: readonly Pass[] = [
  // Fused batch norms first: other consumers of their batch statistics are rewired with them.
  rewireBatchNorms,
  // While the variables and their readers still exist.
  replaceStatistics,
  // Before stripping: afterwards keep_prob placeholders feed nothing.
  removeDropout,
  // Now no output needs batch statistics, so training ops feed nothing.
  stripTraining,
  // After stripping, which removes control edges.
  initializeTables,
  // Only the remaining variables have to be in the checkpoint.
  freezeVariables,
  // Last: functions and attrs of the remaining nodes.
  pruneFunctions,
  stripStaleAttrs,
];

/** Of a frozen graph: the shapes that the user gives. They must not contradict the graph. */
export const SHAPE_PIPELINE: readonly Pass<ShapePlan>[] = [fixInputShapes];

/** Once shapes are known, before folding, which then sees through reshapes. */
export const KNOWN_SHAPE_PIPELINE: readonly Pass<FinishPlan>[] = [evaluateShapes];

/** Folds a frozen graph. Runs until nothing changes, since folding may bring ops together. The order matters, as noted. */
export const FOLD_PIPELINE: readonly FoldPass[] = [
  // First, since it usually adds no ops.
  foldIntoPrevious,
  // Only the remaining batch norms, since this adds a bias.
  foldIntoNext,
  // Batch norms that no kernel can absorb.
  foldToMulAdd,
  // Last: parameters and reshapes around batch norms now feed nothing.
  foldReshapes,
];

/** Before {@link FOLD_PIPELINE}: splits batch norms out of fused ops. */
export const UNFUSE_PIPELINE: readonly FoldPass[] = [foldFusedActivations];

/** Between freezing and folding: parameters of batch norms that are computed are constants then. The order matters as above. */
export const EVALUATE_PIPELINE: readonly Pass<FinishPlan>[] = [evaluateParameters, dropNeutralOps];

/** Last, for frozen and folded graphs alike: makes them easy to read for other programs. The order matters, as noted. */
export const FINISH_PIPELINE: readonly Pass<FinishPlan>[] = [
  // Adds constants to evaluate.
  replaceGlobalBatchNorms,
  evaluateConstants,
  // Constants have to be evaluated to see that they are one or zero.
  dropNeutralOps,
  // After folding: an op that is an output would be folded less.
  nameOutputs,
  // Last: the passes before it may add nodes.
  writeDefaultAttrs,
];

/** For OpenCV, after the result is finished: names move from op to op. */
export const OPENCV_PIPELINE: readonly Pass<FinishPlan>[] = [keepPrintedNames, writeDefaultAttrs];

/** After everything else: other parts of the product know the outputs by their names in the model. */
export const NAME_PIPELINE: readonly Pass<NamePlan>[] = [renameOutputs];

/** Runs passes in order; the graph is validated after each pass that changed it, and errors name the pass. */
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
