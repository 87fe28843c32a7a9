import { findCustomOps } from '../../analysis/runnable/find_obstacles.js';
import { findMixedLoops } from '../../analysis/runnable/mixed_loops.js';
import type { Obstacle } from '../../analysis/runnable/obstacle.js';
import { findShapeConflicts } from '../../analysis/runnable/shape_conflicts.js';
import type { CheckContext, Found, Rule } from './rule.js';

/** Nodes that feed an output and that TensorFlow cannot import or run without the program that saved the model. */
export const cannotRun: Rule = {
  id: 'cannot-run',
  level: 'warn',
  find(context) {
    const { analysis, live, model } = context;
    const { graph, problems, plan, outputs } = analysis;
    const ends = outputs.refs.filter(({ node }) => model.graph.has(node));
    const obstacles = [
      ...problems.flatMap((problem) => (problem.code === 'cannot_run' ? [problem.obstacle] : [])),
      ...[...findMixedLoops(model.graph, ends), ...findShapeConflicts(model.graph)].filter(({ node }) =>
        live.hasNamed(node),
      ),
    ].filter((obstacle) => !canRun(obstacle, context));
    const found = obstacles.map((obstacle): Found => ({ node: obstacle.node, detail: { code: 'obstacle', obstacle } }));
    if (isFrozen(context)) {
      for (const { node, initializer } of plan.tables) {
        if (!live.hasNamed(initializer)) found.push({ node, detail: { code: 'uninitialised_table', initializer } });
      }
    }
    for (const [op, node] of findCustomOps(graph)) {
      if (live.hasNamed(node)) found.push({ node, detail: { code: 'custom_op', op } });
    }
    return found;
  },
};

/** The program that trains fills queues and tables, and the loader of SavedModels the latter; nothing does so for a frozen graph. */
const FILLED: ReadonlySet<Obstacle['code']> = new Set(['table', 'resource', 'unfeedable']);
/** Only freezing has difficulties with them. */
const CAN_RUN: ReadonlySet<Obstacle['code']> = new Set(['input_in_loop', 'output_in_loop']);

function canRun({ code }: Obstacle, context: CheckContext): boolean {
  return CAN_RUN.has(code) || (FILLED.has(code) && !isFrozen(context));
}

function isFrozen({ model, isForServing }: CheckContext): boolean {
  return isForServing && model.kind === 'graph_def';
}
