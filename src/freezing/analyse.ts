import { findChosenReplicas, findEqualReplicas } from '../analysis/runnable/replicas.js';
import { refuseForeignCheckpoint } from '../analysis/state/checkpoint_fit.js';
import { useEmaWeights } from '../analysis/state/ema_weights.js';
import { findUpdates, type Updates } from '../analysis/state/moving_averages.js';
import { findCorrections } from '../analysis/state/renorm_corrections.js';
import { findVariables, type Variables } from '../analysis/state/variables.js';
import { findActivations } from '../analysis/training/activations.js';
import { type BatchNorm, findBatchNorms } from '../analysis/training/batch_norms.js';
import { type Training, viewAtInference } from '../analysis/training/inference.js';
import { findPipelineOutputs } from '../analysis/training/input_pipelines.js';
import { findSwitched } from '../analysis/training/switched.js';
import { Shapes } from '../analysis/values/shapes.js';
import { checkOptions } from '../check_options.js';
import type { Graph } from '../graph/graph.js';
import type { Checkpoint, Model } from '../graph/model.js';
import { parseTensorName, refText, type TensorRef } from '../graph/node.js';
import { ancestors } from '../graph/walk.js';
import { Frames } from '../ops/frames.js';
import { refuseInvalidGraph } from '../ops/valid_graph.js';
import type { PreparePlan } from '../passes/pass.js';
import { INLINE_PIPELINE, REPLICA_PIPELINE, runPipeline } from '../passes/pipeline.js';
import type { Analysis } from './analysis.js';
import { type Findings, findings } from './findings.js';
import { resolveFlags, variableReads } from './flags.js';
import { isFrozen } from './frozen_ends.js';
import { nameMatcher } from './name_matcher.js';
import { FREEZE_OPTIONS, type FreezeOptions } from './options.js';
import { type OutputsFound, outputsOrCandidates, resolveOutputs } from './outputs.js';
import { prepare, updatesOf } from './prepare.js';
import { withReference } from './reference.js';
import { refuseIdleKeep, refuseIdleStatistics } from './refuse_idle_options.js';
import { applyStatisticsMap, mappedStatistics } from './statistics_map.js';

/**
 * Analyses a model: outputs, flags, variables, every batch norm with its status, dropouts, problems that prevent freezing.
 * Does not change the model. Of the weights, only moving statistics are read.
 *
 * @throws BnfixError `usage` when an option names what does not exist, `unreadable` when the graph contradicts itself; anything
 *   else that is wrong is in {@link Analysis.problems}
 * @example
 * import { analyse, load } from 'bnfix';
 * const model = await load('model.meta');
 * const { batchNorms, outputs, problems } = analyse(model);
 * [batchNorms.length, outputs.refs[0].node, problems.length]; // [4, 'output/image_output', 0]
 * model.close();
 */
export function analyse(model: Model, options: FreezeOptions = {}): Analysis {
  checkOptions('analyse', options, FREEZE_OPTIONS);
  return analyseNaming(model, options, () => []);
}

/**
 * The same, with names for outputs that cannot be determined.
 * @param nameOutputs - the names of outputs, given what was found and whether the graph was frozen; none to leave them open
 */
export function analyseNaming(
  model: Model,
  given: FreezeOptions,
  nameOutputs: (found: OutputsFound, isFrozen: boolean) => readonly string[],
): Analysis {
  refuseInvalidGraph(model.graph);
  const graph = model.graph.copy();
  const inlined = [
    ...runPipeline(INLINE_PIPELINE, { graph }),
    ...runPipeline(REPLICA_PIPELINE, { graph, replicas: findEqualReplicas(graph) }),
  ];
  const found = findVariables({ ...model, graph });
  const isCut = isFrozen(model, found);
  const first = resolveOutputs({ ...model, graph }, given, servedBy(found, model.checkpoint), isCut);
  const names = first.refs.length > 0 ? [] : nameOutputs(first, isCut);
  const options = names.length > 0 ? { ...given, outputs: names } : given;
  const outputs = names.length > 0 ? resolveOutputs({ ...model, graph }, options) : first;
  // If outputs have to be named, analyse everything that feeds a candidate.
  const ends = outputsOrCandidates(outputs);
  for (const outcome of runPipeline(REPLICA_PIPELINE, { graph, replicas: findChosenReplicas(graph, ends) })) {
    inlined.push(outcome);
  }
  refuseIdleKeep(graph, options.keep ?? []);
  const isKept = nameMatcher(options.keep ?? []);
  const inputs = findInputs(graph, ends, options);
  const variables = options.ema ? useEmaWeights(graph, found, model.checkpoint) : found;
  const asTrained = lazily(() => findUpdates(graph, variables, findActivations(graph)));
  const flags = resolveFlags(graph, ends, options, isKept, variableReads(variables, asTrained));
  const switched = findSwitched(graph, flags);
  // Pinning flags may remove the update ops that pair variables with statistics, so collect the pairs first.
  const trained = flags.length > 0 ? asTrained() : undefined;
  const shapes = new Shapes(graph);
  const loops = inputs.source === 'pipeline' ? loopsOf(graph, inputs.refs) : new Map<string, string>();
  const cut = inputs.refs.map((tensor) => ({ tensor, shape: shapes.of(tensor) }));
  const plan: PreparePlan = { outputs: ends, inputs: cut, flags };
  const prepared = [...inlined, ...prepare(graph, plan)];
  const inLoops = new Map(
    prepared.flatMap((outcome) => {
      const loop = outcome.kind === 'input' ? loops.get(refText(outcome.tensor)) : undefined;
      return outcome.kind === 'input' && loop !== undefined ? [[outcome.placeholder, loop] as const] : [];
    }),
  );
  refuseForeignCheckpoint(variablesFeeding(graph, ends, variables), model.checkpoint);
  const selected = flags.some(({ reason }) => reason.code !== 'given') ? trained : undefined;
  const { updates, outcomes } = updatesOf(graph, variables, ends);
  for (const outcome of outcomes) prepared.push(outcome);
  const findings = analysePrepared({
    model,
    updates,
    graph,
    outputs,
    plan,
    variables,
    isKept,
    options,
    asTrained: trained,
    selected,
    inLoops,
  });
  const fedOutputs = ends.filter(({ node }) => findActivations(graph).hasNamed(node));
  return { model, options, graph, outputs, inputs, variables, flags, switched, prepared, fedOutputs, ...findings };
}

/**
 * Whether a checkpoint has a value for a variable. One of another model is refused later. A key that a saver restores to one variable
 * is not meant for another variable of that name.
 */
function servedBy({ byNode }: Variables, checkpoint: Checkpoint | undefined): (variable: string) => boolean {
  const variables = [...byNode.values()];
  const isAny = checkpoint !== undefined && variables.some(({ key }) => key !== undefined);
  const restored = new Set(variables.filter(({ evidence }) => evidence === 'restore op').map(({ key }) => key));
  return (name) => {
    const variable = byNode.get(name);
    if (!isAny || !variable) return true;
    return variable.key !== undefined && (variable.evidence !== 'name' || !restored.has(variable.key));
  };
}

/** Where the graph begins: tensors that the user names, otherwise the ends of input pipelines. */
function findInputs(graph: Graph, ends: readonly TensorRef[], { inputs = [] }: FreezeOptions): Analysis['inputs'] {
  if (inputs.length > 0) return { refs: inputs.map(parseTensorName), source: 'given' };
  return { refs: findPipelineOutputs(graph, ends), source: 'pipeline' };
}

/** The loop that each tensor is in, by name. */
function loopsOf(graph: Graph, refs: readonly TensorRef[]): Map<string, string> {
  if (refs.length === 0) return new Map();
  const frames = new Frames(graph);
  return new Map(
    refs.flatMap((ref) => {
      const loop = frames.of(ref.node).at(-1);
      return loop === undefined ? [] : [[refText(ref), loop] as const];
    }),
  );
}

function variablesFeeding(graph: Graph, outputs: readonly TensorRef[], variables: Variables) {
  const names = outputs.map(({ node }) => node);
  const feeding = ancestors(graph, names);
  return [...variables.byNode.values()].filter(({ node, value }) => !value && feeding.hasNamed(node));
}

/** A graph in its inference state, before it is frozen. */
export interface PreparedGraph {
  readonly model: Model;
  readonly graph: Graph;
  readonly outputs: OutputsFound;
  readonly plan: PreparePlan;
  readonly variables: Variables;
  readonly isKept: (name: string) => boolean;
  readonly options: FreezeOptions;
  /** What the update ops of the prepared graph prove. */
  readonly updates: Updates;
  /** The pairs that update ops proved before flags were pinned; undefined if no flag was. */
  readonly asTrained: Updates | undefined;
  /** The same if a flag was recognised: the statistics that it selects must be trained. */
  readonly selected: Updates | undefined;
  /** Placeholders in place of ends of input pipelines in loops, and the loop of each. */
  readonly inLoops: ReadonlyMap<string, string>;
}

/** Analyses a prepared graph: what has to be done to freeze it, and what prevents it. */
export function analysePrepared(prepared: PreparedGraph): Findings {
  const { model, graph, variables, options, asTrained, updates: now } = prepared;
  const activations = findActivations(graph);
  const updates = {
    ...now,
    averages: new Map([...(asTrained?.averages ?? []), ...now.averages]),
    rivals: new Map([...(asTrained?.rivals ?? []), ...now.rivals]),
    decays: new Map([...(asTrained?.decays ?? []), ...now.decays]),
  };
  const found = findBatchNorms(graph, variables, model.checkpoint, activations, updates, prepared.plan.outputs);
  const batchNorms = pairedByHand(found, model, variables, model.checkpoint, options);
  const training: Training = {
    graph,
    outputs: prepared.plan.outputs,
    variables,
    isKept: prepared.isKept,
    updates,
    corrections: findCorrections(graph, variables, updates, activations),
    batchNorms,
    given: mappedStatistics(graph, batchNorms, variables, model.checkpoint, options.map ?? {}),
  };
  const inference = viewAtInference(training);
  refuseIdleStatistics(training.given, inference);
  return findings({ ...prepared, checkpoint: model.checkpoint, training, inference });
}

/** Adds the statistics that a reference graph shows and that the user names to batch norms. */
function pairedByHand(
  batchNorms: readonly BatchNorm[],
  model: Model,
  variables: Variables,
  checkpoint: Checkpoint | undefined,
  { map = {} }: FreezeOptions,
): BatchNorm[] {
  return applyStatisticsMap(withReference(batchNorms, model), variables, checkpoint, map);
}

/** Computes a value on first use. */
function lazily<T>(compute: () => T): () => T {
  let known: { readonly value: T } | undefined;
  return () => {
    known ??= { value: compute() };
    return known.value;
  };
}
