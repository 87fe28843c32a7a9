import { resolveBranches } from '../analysis/training/resolved_branches.js';
import { findUnitSlices } from '../analysis/values/unit_slices.js';
import type { Graph } from '../graph/graph.js';
import type { Outcome } from '../passes/outcome.js';
import type { PreparePlan } from '../passes/pass.js';
import { BRANCH_PIPELINE, CUT_PIPELINE, runPipeline, SIMPLIFY_PIPELINE } from '../passes/pipeline.js';

/** Turns a graph into its inference state, in place: inputs cut, flags pinned, branches folded. @returns what was done */
export function prepare(graph: Graph, plan: PreparePlan): Outcome[] {
  const { outputs } = plan;
  return [
    ...runPipeline(CUT_PIPELINE, { ...plan, graph }),
    ...runPipeline(BRANCH_PIPELINE, { graph, outputs, branches: resolveBranches(graph, outputs) }),
    ...runPipeline(SIMPLIFY_PIPELINE, { graph, slices: findUnitSlices(graph) }),
  ];
}
