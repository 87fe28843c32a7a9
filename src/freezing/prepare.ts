import { findLift } from '../analysis/runnable/lift.js';
import { findAssignedReads } from '../analysis/state/last_batch.js';
import { findUpdates, type Updates } from '../analysis/state/moving_averages.js';
import type { Variables } from '../analysis/state/variables.js';
import { findActivations } from '../analysis/training/activations.js';
import { resolveBranches } from '../analysis/training/resolved_branches.js';
import { findUnitSlices } from '../analysis/values/unit_slices.js';
import type { Graph } from '../graph/graph.js';
import type { TensorRef } from '../graph/node.js';
import type { Outcome } from '../passes/outcome.js';
import type { PreparePlan } from '../passes/pass.js';
import {
  BRANCH_PIPELINE,
  CUT_PIPELINE,
  LIFT_PIPELINE,
  READ_PIPELINE,
  runPipeline,
  SIMPLIFY_PIPELINE,
} from '../passes/pipeline.js';

/** What variables average, after readers of a variable right after its assignment read what was assigned. Changes the graph. */
export function updatesOf(
  graph: Graph,
  variables: Variables,
  outputs: readonly TensorRef[],
): { readonly updates: Updates; readonly outcomes: readonly Outcome[] } {
  const outcomes: Outcome[] = [];
  for (let rounds = 0; ; rounds++) {
    const updates = findUpdates(graph, variables, findActivations(graph));
    const reads = rounds < MAX_COPIES ? findAssignedReads(graph, updates.lastBatches, outputs) : [];
    if (reads.length === 0) return { updates, outcomes };
    for (const outcome of runPipeline(READ_PIPELINE, { graph, reads })) outcomes.push(outcome);
  }
}

/** How many variables may copy a statistic from each other, before what is left is a problem. */
const MAX_COPIES = 4;

/** Turns a graph into its inference state, in place: inputs cut, flags pinned, branches folded. @returns what was done */
export function prepare(graph: Graph, plan: PreparePlan): Outcome[] {
  const { outputs, flags } = plan;
  const pins = new Map(flags.map(({ node, value }) => [node, value]));
  const cut = runPipeline(CUT_PIPELINE, { ...plan, graph });
  const fed = new Set(cut.flatMap((outcome) => (outcome.kind === 'input' ? [outcome.placeholder] : [])));
  return [
    ...cut,
    ...runPipeline(BRANCH_PIPELINE, { graph, outputs, branches: resolveBranches(graph, outputs, pins) }),
    ...runPipeline(LIFT_PIPELINE, { graph, lift: findLift(graph, outputs, fed) }),
    ...runPipeline(SIMPLIFY_PIPELINE, { graph, slices: findUnitSlices(graph) }),
  ];
}
