import type { Analysis } from '../freezing/analysis.js';
import type { Graph } from '../graph/graph.js';
import type { TensorRef } from '../graph/node.js';
import { ancestors } from '../graph/walk.js';
import { freezeVariables } from '../passes/freeze_variables.js';
import { initializeTables } from '../passes/initialize_tables.js';
import { replacingVariables } from '../passes/pass.js';
import { runPipeline } from '../passes/pipeline.js';
import { removeDropout } from '../passes/remove_dropout.js';
import { stripTraining } from '../passes/strip_training.js';
import { replaceByStored } from './stored.js';

/** What makes a saved graph runnable without changing what it computes. */
const RUNNABLE = [stripTraining, initializeTables, freezeVariables];

/**
 * The graph as it was saved, with constants in place of its variables: its batch norms still use batch statistics. Flags have
 * their values of the analysis, and nothing assigns to a variable, so that it computes the same every time.
 * @param dropouts - whether dropouts stay active
 * @throws BnfixError `statistics` when the checkpoint lacks a variable
 */
export function savedGraph({ graph, outputs, plan, model }: Analysis, { dropouts = false } = {}): Graph {
  const names = outputs.refs.map(({ node }) => node);
  const initializers = plan.tables.map(({ initializer }) => initializer);
  const rows = rowsOf(plan);
  const saved = graph.copy(ancestors(graph, [...names, ...initializers, ...rows.map(({ node }) => node)]));
  for (const replacement of plan.replacements) {
    if (replacement.role === 'assignment') replaceByStored(saved, replacement, model.checkpoint);
  }
  runPipeline(dropouts ? RUNNABLE : [removeDropout, ...RUNNABLE], {
    ...plan,
    graph: saved,
    outputs: [...plan.outputs, ...rows],
  });
  return saved;
}

/** The tensors that read the rows of variables which hold statistics: inference may need rows that the saved graph did not. */
function rowsOf(plan: Analysis['plan']): TensorRef[] {
  return replacingVariables(plan).flatMap(({ row }) => (row ? [row.read] : []));
}
