import { variableValue } from '../analysis/state/checkpoint_value.js';
import { checkStored, type HealthProblem, type NamedValue } from '../analysis/state/health.js';
import type { Problem } from '../analysis/training/problems.js';
import { findStoredNorms, type Stored } from '../analysis/training/stored_statistics.js';
import { attrType } from '../graph/attrs.js';
import { DataType } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import type { Checkpoint } from '../graph/model.js';
import type { NodeSet } from '../graph/node_set.js';
import type { AnalysedBatchNorm, StoredBatchNorm, Unhealthy } from './analysis.js';
import type { Found } from './found.js';

/** The unfused batch norms that normalise with stored statistics, and their values. */
export function checkStoredNorms({ training, checkpoint }: Found, live: NodeSet): StoredBatchNorm[] {
  return findStoredNorms(training.graph, training.variables, live).map((norm) => {
    const { name, variance, mean, others } = norm;
    const { problem, range } = checkStored(
      namedValue(variance, checkpoint),
      mean && namedValue(mean, checkpoint),
      others.map((other) => namedValue(other, checkpoint)),
    );
    return { name, norm, health: problem, range, isBatchNorm: mean !== undefined };
  });
}

/** The batch norms in inference mode whose statistics contain NaN, infinity or a negative variance, fused and unfused. */
export function findUnhealthy(
  batchNorms: readonly AnalysedBatchNorm[],
  stored: readonly StoredBatchNorm[],
): Unhealthy[] {
  const unhealthy: Unhealthy[] = [];
  for (const { name, status, health } of batchNorms) {
    if (status.kind !== 'inference' || !health || health.kind === 'untrained' || health.kind === 'missing') continue;
    unhealthy.push({ batchNorm: name, problem: health });
  }
  for (const { name, health } of stored)
    if (health && health.kind !== 'untrained') unhealthy.push({ batchNorm: name, problem: health });
  return unhealthy;
}

function namedValue(stored: Stored, checkpoint: Checkpoint | undefined): NamedValue {
  if (stored.kind === 'constant') return { name: stored.node, value: () => stored.tensor };
  return { name: stored.variable.node, value: () => variableValue(stored.variable, checkpoint) };
}

/** Those whose statistics a recognised flag selects: training averaged them, but inference cannot use them. */
export function unhealthySelected({ training, selected, plan }: Found, unhealthy: readonly Unhealthy[]): Problem[] {
  const averages = new Set([...(selected?.averages.values() ?? [])].flat().map(({ variable }) => variable.node));
  const flags = plan.flags.filter(({ reason }) => reason.code !== 'given');
  const selectedNodes = new Set(flags.flatMap(({ selects }) => selects ?? []));
  return unhealthy.flatMap(({ batchNorm, problem }): Problem[] => {
    const names = [batchNorm, ...namesIn(problem)];
    if (!names.some((name) => averages.has(name) || selectedNodes.has(name))) return [];
    return [
      { code: 'unhealthy_selected', batchNorm, problem, flags: flags.map((flag) => setting(training.graph, flag)) },
    ];
  });
}

function namesIn(problem: HealthProblem): readonly string[] {
  if ('name' in problem) return [problem.name];
  return 'names' in problem ? problem.names : [];
}

/** A flag with its value: `is_training=false`. */
function setting(graph: Graph, { node, value }: { readonly node: string; readonly value: number }): string {
  const pinned = graph.find(node);
  const isBool = pinned && attrType(pinned, 'dtype') === DataType.DT_BOOL;
  return `${node}=${isBool ? value !== 0 : value}`;
}
