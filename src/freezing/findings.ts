import { findObstacles } from '../analysis/runnable/find_obstacles.js';
import type { Obstacle } from '../analysis/runnable/obstacle.js';
import { findTables } from '../analysis/runnable/tables.js';
import { missingValue, variableValue } from '../analysis/state/checkpoint_value.js';
import { checkHealth, isUntouched, type NamedValue } from '../analysis/state/health.js';
import type { Variable, Variables } from '../analysis/state/variables.js';
import type { BatchNorm } from '../analysis/training/batch_norms.js';
import { type Dropout, findDropouts } from '../analysis/training/dropouts.js';
import { isTrainingGradient } from '../analysis/training/gradients.js';
import { type Training, variancesOfFused } from '../analysis/training/inference.js';
import { batchReductionsLeft, findLeftovers } from '../analysis/training/leftovers.js';
import type { Problem } from '../analysis/training/problems.js';
import { InferenceView } from '../analysis/training/replacements.js';
import { findUnfreezable } from '../analysis/training/unfreezable.js';
import { unreadStatistics } from '../analysis/training/unread_statistics.js';
import type { Graph } from '../graph/graph.js';
import type { Checkpoint } from '../graph/model.js';
import { refText, type TensorRef, tensorName } from '../graph/node.js';
import type { NodeSet } from '../graph/node_set.js';
import { ancestors, sourceOf } from '../graph/walk.js';
import { anyOf, isIdentity } from '../ops/meaning.js';
import type { FusedRepair } from '../passes/pass.js';
import { type AnalysedBatchNorm, type Analysis, type Kept, MAX_FED_CANDIDATES } from './analysis.js';
import type { Found } from './found.js';
import type { OutputsFound } from './outputs.js';
import type { FedBy } from './still_fed.js';
import { checkStoredNorms, findUnhealthy, unhealthySelected } from './unhealthy.js';

/** The findings about a prepared graph. */
export type Findings = Pick<
  Analysis,
  | 'batchNorms'
  | 'otherBatchNorms'
  | 'decays'
  | 'dropouts'
  | 'kept'
  | 'randomOps'
  | 'batchReductions'
  | 'stored'
  | 'unhealthy'
  | 'untrainedAllowed'
  | 'obstacles'
  | 'needed'
  | 'fed'
  | 'plan'
  | 'problems'
>;

const isRandom = anyOf('random');
const isPlaceholder = anyOf('placeholder');
const isEnter = anyOf('enter');

/** Determines what has to be done to freeze a prepared graph, and what prevents it. */
export function findings(found: Found): Findings {
  const { outputs, training, inference, checkpoint } = found;
  const { graph, isKept } = training;
  const batchNorms = batchNormsInUse(found);
  const { dropouts, stray } = findDropouts(graph, inference.after.live, training.outputs);
  const removed = dropouts.filter(({ output }) => !isKept(output));
  const atInference = withoutDropouts(found, training.outputs, removed);
  const { live } = atInference;
  const needed = [...training.variables.byNode.values()].filter(({ node }) => live.hasNamed(node));
  const strange = stray.filter(({ output }) => inference.after.live.hasNamed(output));
  const kept: Kept[] = [
    ...batchNorms.filter((each) => each.isKept).map(({ name }): Kept => ({ kind: 'batch_norm', node: name })),
    ...dropouts.filter(({ output }) => isKept(output)).map(({ output }): Kept => ({ kind: 'dropout', node: output })),
    ...strange.filter(({ output }) => isKept(output)).map(({ output }): Kept => ({ kind: 'random_op', node: output })),
  ];
  const stored = checkStoredNorms(found, live);
  const unhealthy = findUnhealthy(batchNorms, stored);
  const isAllowed = found.options.allowUntrained === true;
  const untrained = untrainedStatistics(found);
  const untrainedBehindFlag = untrainedSelected(found, needed);
  const { tables, fromFiles, obstacles: ofTables } = findTables(graph, live);
  const obstacles = [...findObstacles(graph, live), ...ofTables, ...inputsInLoops(found, live)];
  const problems: Problem[] = [
    ...(outputs.refs.length === 0 && outputs.reason.code === 'unclear' ? [outputsUnclear(outputs)] : []),
    ...missingOutputs(outputs),
    ...constantOutputs(found, atInference),
    ...batchNorms.flatMap((each) => batchNormProblem(found, each)),
    ...(isAllowed ? [] : untrained),
    ...ambiguousStatistics(found),
    ...lastBatchesInUse(found, needed),
    ...findLeftovers(training, inference, checkpoint),
    ...unreadStatistics(training, inference),
    ...strange
      .filter(({ output }) => !isKept(output))
      .map(({ output, random, problem }): Problem => ({ code: 'random_op', node: output, random, problem })),
    ...findUnfreezable(graph, live),
    ...obstacles.filter(({ node }) => !isKept(node)).map((obstacle): Problem => ({ code: 'cannot_run', obstacle })),
    ...(isAllowed ? [] : untrainedBehindFlag),
    ...unhealthySelected(found, unhealthy),
    ...withoutValue(found, needed),
  ];
  return {
    batchNorms,
    otherBatchNorms: training.batchNorms.filter(({ name }) => !inference.before.live.hasNamed(name)),
    decays: training.updates.decays,
    dropouts: removed,
    kept,
    randomOps: [...graph.nodes()].filter((node) => live.has(node) && isRandom(node)).map(({ name }) => name),
    batchReductions: batchReductionsLeft(training, inference),
    stored,
    unhealthy,
    untrainedAllowed: isAllowed ? untrainedNames([...untrained, ...untrainedBehindFlag]) : [],
    obstacles: obstacles.filter(({ node }) => isKept(node)),
    needed,
    fed: fedAtInference(found, removed, live),
    plan: {
      ...found.plan,
      variables: training.variables,
      checkpoint,
      replacements: replacementsOf(found),
      fused: fusedRepairs(found, batchNorms),
      unfused: batchNorms.filter((each) => isRepaired(each) && each.unfused).map(({ name }) => name),
      dropouts: removed,
      // With the file at hand, it can be filled.
      tables: [...tables, ...fromFiles.filter(({ node }) => isKept(node))],
    },
    problems,
  };
}

/** Ends of input pipelines in a loop that is still there: each iteration would take another batch. */
function inputsInLoops({ training: { graph }, inLoops }: Found, live: NodeSet): Obstacle[] {
  return [...inLoops].flatMap(([node, loop]): Obstacle[] => {
    const enters = graph.consumers({ node, port: 0 }).some((consumer) => live.has(consumer) && isEnter(consumer));
    return enters ? [{ code: 'input_in_loop', node, loop }] : [];
  });
}

function outputsUnclear({ candidates, proposed, signatures }: OutputsFound): Problem {
  return {
    code: 'outputs_unclear',
    candidates,
    proposed: proposed.map(tensorName),
    signatures,
  };
}

function missingOutputs({ missing, reason }: OutputsFound): Problem[] {
  if (missing.length === 0 || reason.code !== 'signature') return [];
  return [{ code: 'outputs_missing', signature: reason.name, outputs: missing }];
}

/** Outputs that depend on an input now, and on none once batch statistics are replaced and dropouts removed. */
function constantOutputs({ outputs, inference }: Found, atInference: InferenceView): Problem[] {
  const { before, after } = inference;
  return outputs.refs
    .filter(({ node }) => before.activations.hasNamed(node) && !atInference.activations.hasNamed(node))
    .map((tensor): Problem => {
      const cause = after.activations.hasNamed(tensor.node) ? 'dropout' : 'batch_statistics';
      return { code: 'constant_output', tensor, cause };
    });
}

/** Whether a batch norm in use has to switch to other statistics. */
function isRepaired({ isKept, status }: AnalysedBatchNorm): boolean {
  return !isKept && (status.kind === 'paired' || status.kind === 'averaged_in_parts');
}

/** The batch norms that feed an output before anything is replaced. */
function batchNormsInUse({ training, inference, checkpoint }: Found): AnalysedBatchNorm[] {
  const ends = training.outputs.slice(0, MAX_FED_CANDIDATES).map((ref) => ({
    name: tensorName(ref),
    feeding: ancestors(training.graph, [ref.node], false),
  }));
  return training.batchNorms
    .filter(({ name }) => inference.before.live.hasNamed(name))
    .map((batchNorm) => ({
      ...batchNorm,
      feeds: ends.filter(({ feeding }) => feeding.hasNamed(batchNorm.name)).map(({ name }) => name),
      isKept: batchNorm.status.kind !== 'inference' && training.isKept(batchNorm.name),
      ...healthOf(training, batchNorm, checkpoint),
    }));
}

/** The statistics that a batch norm uses, or will use: what is wrong with them, and their values. */
function healthOf(
  training: Training,
  batchNorm: BatchNorm,
  checkpoint: Checkpoint | undefined,
): Pick<AnalysedBatchNorm, 'health' | 'range'> {
  const statistics = statisticsOf(training, batchNorm, checkpoint);
  const checked = statistics && checkHealth(...statistics);
  return { health: checked?.problem, range: checked?.range };
}

function statisticsOf(
  { graph, variables }: Training,
  { name, status }: BatchNorm,
  checkpoint: Checkpoint | undefined,
): [mean: NamedValue, variance: NamedValue] | undefined {
  if (status.kind === 'paired') {
    const { mean, variance } = status.statistics;
    return [valueIn(mean, checkpoint), valueIn(variance, checkpoint)];
  }
  if (status.kind !== 'inference') return undefined;
  const { inputs } = graph.get(name);
  const [mean, variance] = [3, 4].map((index) => inputs[index] && read(graph, variables, inputs[index], checkpoint));
  return mean && variance && [mean, variance];
}

function valueIn(variable: Variable, checkpoint: Checkpoint | undefined): NamedValue {
  return { name: variable.node, value: () => variableValue(variable, checkpoint) };
}

/** The variable or the constant that a tensor reads. */
function read(graph: Graph, variables: Variables, ref: TensorRef, checkpoint: Checkpoint | undefined) {
  const variable = variables.readBy(ref);
  if (variable) return valueIn(variable, checkpoint);
  const { name, tensor } = graph.get(sourceOf(graph, ref, isIdentity).node);
  return tensor && { name, value: () => tensor };
}

function batchNormProblem({ options }: Found, { name, isKept, status, health }: AnalysedBatchNorm): Problem[] {
  if (isKept) return [];
  if (status.kind === 'unpaired') return [{ code: 'unpaired', batchNorm: name, reason: status.reason }];
  if (status.kind !== 'paired' || !health) return [];
  if (health.kind === 'untrained' && options.allowUntrained) return [];
  return [{ code: 'unhealthy', batchNorm: name, problem: health }];
}

/** Variables that replace a statistic outside of batch norms, and were never updated. */
function untrainedStatistics({ inference, checkpoint }: Found): Problem[] {
  const problems: Problem[] = [];
  for (const { tensor, by, role } of inference.after.used.values()) {
    if (role !== 'statistic' || 'value' in by || !inference.others.has(by.variable.node)) continue;
    const value = knownValue(by.variable, checkpoint);
    if (value && isUntouched(value)) problems.push({ code: 'untrained_statistic', tensor, variable: by.variable.node });
  }
  return problems;
}

/** The variables that problems name as untrained. */
function untrainedNames(problems: readonly Problem[]): string[] {
  const names = problems.flatMap((problem): readonly string[] => {
    if (problem.code === 'untrained_selected') return problem.variables;
    return problem.code === 'untrained_statistic' ? [problem.variable] : [];
  });
  return [...new Set(names)];
}

/** Statistics outside of batch norms whose averages are copied or averaged once more. */
function ambiguousStatistics({ training, inference }: Found): Problem[] {
  return [...inference.after.used.values()].flatMap(({ tensor, by, role }): Problem[] => {
    if (role !== 'statistic' || 'value' in by || !inference.others.has(by.variable.node)) return [];
    const isNamed = training.given.has(refText(tensor));
    const rivals = isNamed ? [] : (training.updates.rivals.get(by.variable.node) ?? []);
    if (rivals.length === 0) return [];
    return [{ code: 'ambiguous_statistic', tensor, variables: [by.variable, ...rivals].map(({ node }) => node) }];
  });
}

/** Variables without memory of earlier batches that inference would read, although others average what they or their like hold. */
function lastBatchesInUse({ training }: Found, needed: readonly Variable[]): Problem[] {
  const { updates, given, isKept } = training;
  const read = new Set(needed);
  // Without any average, these are what inference reads.
  if (updates.lastBatches.every(({ averages }) => averages.length === 0)) return [];
  return updates.lastBatches.flatMap(({ variable, averages }): Problem[] => {
    if (!read.has(variable) || given.has(variable.node) || isKept(variable.node)) return [];
    return [{ code: 'last_batch_in_use', variable: variable.node, averages: averages.map(({ node }) => node) }];
  });
}

/**
 * Statistics that a flag selects at inference must have been trained, like those of a repaired batch norm: a net that always
 * ran in training mode may never have updated any.
 */
function untrainedSelected({ selected, checkpoint }: Found, needed: readonly Variable[]): Problem[] {
  if (!selected) return [];
  const averages = new Set([...selected.averages.values()].flat().map((average) => average.variable.node));
  const untrained = needed.filter((variable) => {
    const value = averages.has(variable.node) ? knownValue(variable, checkpoint) : undefined;
    return value !== undefined && isUntouched(value);
  });
  return untrained.length < 2 ? [] : [{ code: 'untrained_selected', variables: untrained.map(({ node }) => node) }];
}

function withoutValue({ checkpoint }: Found, needed: readonly Variable[]): Problem[] {
  return needed.flatMap((variable): Problem[] => {
    try {
      variableValue(variable, checkpoint);
      return [];
    } catch (error) {
      return [{ code: 'no_value', variable: variable.node, value: missingValue(error) }];
    }
  });
}

/** The value of a variable; undefined if it has none, which is a separate problem. */
function knownValue(variable: Variable, checkpoint: Checkpoint | undefined) {
  try {
    return variableValue(variable, checkpoint);
  } catch (error) {
    missingValue(error);
    return undefined;
  }
}

/** What feeds given outputs at inference, after dropouts are removed. */
function withoutDropouts(
  { training, inference }: Found,
  outputs: readonly TensorRef[],
  removed: readonly Dropout[],
): InferenceView {
  const bypass = new Map(removed.map(({ output, x }) => [output, x]));
  return new InferenceView(training.graph, outputs, inference.replacing, bypass);
}

/** The placeholders that feed each output at inference. */
function fedAtInference(found: Found, removed: readonly Dropout[], live: NodeSet): FedBy {
  return new Map(
    found.outputs.refs.map((output) => {
      // For a single output, these are the live nodes.
      const feeding = found.training.outputs.length === 1 ? live : withoutDropouts(found, [output], removed).live;
      const placeholders = [...feeding].filter(isPlaceholder);
      return [refText(output), new Set(placeholders.map(({ name }) => name))];
    }),
  );
}

/** Replacements other than those of fused batch norms, whose outputs are rewired with them. */
function replacementsOf({ training, inference }: Found) {
  const ofFused = new Set(
    training.batchNorms.flatMap(({ name, unfused }) =>
      unfused ? [] : [{ node: name, port: 1 }, ...variancesOfFused(training.graph, name)].map(refText),
    ),
  );
  return [...inference.after.used].filter(([key]) => !ofFused.has(key)).map(([, replacement]) => replacement);
}

function fusedRepairs({ training, inference }: Found, batchNorms: readonly AnalysedBatchNorm[]): FusedRepair[] {
  const { graph } = training;
  return batchNorms.flatMap(({ name, isKept, unfused, status }): FusedRepair[] => {
    if (isKept || unfused || status.kind !== 'paired') return [];
    const { mean, variance } = status.statistics;
    const gradients = graph
      .consumers({ node: name, port: 3 })
      .filter((node) => inference.after.live.has(node) && isTrainingGradient(node))
      .map((node) => node.name);
    return [{ node: name, mean, variance, variances: variancesOfFused(graph, name), gradients }];
  });
}
