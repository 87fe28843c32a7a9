import { refuseForeignCheckpoint } from '../analysis/state/checkpoint_fit.js';
import { variableValue } from '../analysis/state/checkpoint_value.js';
import { useEmaWeights } from '../analysis/state/ema_weights.js';
import { isUntouched } from '../analysis/state/health.js';
import { findUpdates, type MovingAverages } from '../analysis/state/moving_averages.js';
import { findVariables, type Variable, type Variables } from '../analysis/state/variables.js';
import { findActivations } from '../analysis/training/activations.js';
import { type BatchNorm, findBatchNorms } from '../analysis/training/batch_norms.js';
import { findPipelineOutputs } from '../analysis/training/input_pipelines.js';
import { parseTensorName } from '../analysis/training/outputs.js';
import { checkOptions } from '../check_options.js';
import { BnfixError } from '../errors.js';
import type { Graph } from '../graph/graph.js';
import type { Model } from '../graph/model.js';
import type { TensorRef } from '../graph/node.js';
import { ancestors } from '../graph/walk.js';
import { refuseLooseEdges } from '../ops/loose_edges.js';
import { inlineFunctions } from '../passes/inline_functions.js';
import type { PassContext, PrepareContext } from '../passes/pass.js';
import { FREEZE_PIPELINE, type PassRun, PREPARE_PIPELINE, runPipeline } from '../passes/pipeline.js';
import { type EncodedGraph, encodeGraphDef } from '../writers/graph_def.js';
import { FREEZE_OPTIONS, type FreezeOptions } from './options.js';
import { type FreezeReport, freezeReport } from './report.js';
import { applyStatisticsMap, nameMatcher, resolveFlags, resolveOutputs } from './resolve_options.js';

/** A frozen graph that is ready to be written. */
export interface FrozenModel {
  readonly graph: Graph;
  readonly report: FreezeReport;
  /** The binary GraphDef; weights are read while its chunks are. */
  readonly encoded: EncodedGraph;
}

/**
 * Repairs the batch norms of a model and freezes it: a graph without variables that answers as the true inference graph
 * would. The model itself is left as it is.
 *
 * @throws BnfixError `usage` when outputs have to be named, `statistics` when moving statistics or variables are missing
 *   or not sane, `unsupported` for a form that cannot be repaired: never a graph that is only probably right.
 */
export function freeze(model: Model, options: FreezeOptions = {}): FrozenModel {
  checkOptions('freeze', options, FREEZE_OPTIONS);
  const graph = model.graph.copy();
  refuseLooseEdges(graph);
  const copy = { ...model, graph };
  const inlined = runPipeline([inlineFunctions], { graph, outputs: [], inputs: [], flags: [] });
  const { outputs, why: outputsWhy } = resolveOutputs(copy, options);
  const notes: string[] = [];
  const inputs = (options.inputs ?? []).map(parseTensorName);
  if (inputs.length === 0) {
    inputs.push(...findPipelineOutputs(graph, outputs));
    const names = inputs.map((ref) => `${ref.node}:${ref.port}`).join(', ');
    if (names) notes.push(`cut at ${names}, where the input pipeline ends; --inputs cuts elsewhere`);
  }
  const found = findVariables(copy);
  const variables = options.ema ? useEmaWeights(graph, found, model.checkpoint) : found;
  const prepare: PrepareContext = { graph, outputs, inputs, flags: resolveFlags(graph, variables, outputs, options) };
  // What flags switch off may be what tells which variable follows which statistic.
  const asTrained =
    prepare.flags.length > 0 ? findUpdates(graph, variables, findActivations(graph)).averages : undefined;
  const prepared = runPipeline(PREPARE_PIPELINE, prepare);
  refuseForeignCheckpoint(neededVariables(graph, outputs, variables), model.checkpoint);
  const fed = findActivations(graph);
  const answering = outputs.filter(({ node }) => fed.hasNamed(node));
  const batchNorms = findBatchNorms(graph, variables, model.checkpoint, asTrained);
  const sites = withReference(batchNorms.sites, model);
  const context: PassContext = {
    ...prepare,
    variables,
    checkpoint: model.checkpoint,
    batchNorms: { ...batchNorms, sites: applyStatisticsMap(sites, variables, model.checkpoint, options.map ?? {}) },
    isKept: nameMatcher(options.keep ?? []),
    allowUntrained: options.allowUntrained ?? false,
  };
  const passes = [...inlined, ...prepared, ...runPipeline(FREEZE_PIPELINE, context)];
  assertStillFed(graph, answering);
  if (asTrained && prepare.flags.some((flag) => !flag.given)) refuseUntrained(context, passes, asTrained);
  if (options.ema) notes.push(...withoutAverage(variables, passes));
  const encoded = encodeGraphDef(graph);
  const report = freezeReport({ model, context, outputsWhy, passes, byteLength: encoded.byteLength, notes });
  return { graph, report, encoded };
}

/** The variables that feed an output. */
function neededVariables(graph: Graph, outputs: readonly TensorRef[], variables: Variables): Variable[] {
  const needed = ancestors(
    graph,
    outputs.map(({ node }) => node),
  );
  return [...variables.byNode.values()].filter(({ node }) => needed.hasNamed(node));
}

/**
 * Statistics that a flag was set to use must have been trained, like those of a repaired site: a net that was always
 * run in training mode may never have kept any.
 */
function refuseUntrained(context: PassContext, passes: readonly PassRun[], averages: MovingAverages): void {
  if (context.allowUntrained) return;
  const switched = new Set([...averages.values()].flat().map((average) => average.variable.node));
  const frozen = passes.find(({ pass }) => pass === 'freeze_variables')?.changed ?? [];
  const untrained = frozen
    .map(({ node }) => context.variables.byNode.get(node)!)
    .filter((variable) => switched.has(variable.node) && isUntouched(variableValue(variable, context.checkpoint)));
  if (untrained.length < 2) return;
  const names = untrained.map(({ node }) => node);
  throw new BnfixError('statistics', `${names.length} moving statistics were never trained`, {
    where: `${names[0]} and ${names.length - 1} more`,
    why: `a flag switches to them at inference, and they still are all 0 or all 1: ${names.slice(0, 6).join(', ')}`,
    fix: "--allow-untrained takes them as they are; --set FLAG=true --keep '*' leaves the graph in training mode",
  });
}

/** An output that depended on what the net is fed and no longer does has lost the net. */
function assertStillFed(graph: Graph, outputs: readonly TensorRef[]): void {
  if (outputs.length === 0) return;
  const fed = findActivations(graph);
  const lost = outputs.find(({ node }) => !fed.hasNamed(node));
  if (!lost) return;
  throw new BnfixError('internal', `${lost.node} does not depend on the input of the net any more`, {
    where: lost.node,
    why: 'something on the way to it was taken for a constant',
    fix: 'please report it; --keep leaves a batch norm, a dropout or a flag as it is',
  });
}

/** What was frozen without a moving average of its own, for the report. */
function withoutAverage(variables: Variables, passes: readonly PassRun[]): string[] {
  const frozen = passes.find(({ pass }) => pass === 'freeze_variables')?.changed ?? [];
  const without = frozen.filter(({ node }) => variables.byNode.get(node)?.evidence !== 'moving average');
  if (without.length === 0) return [];
  const names = without.map(({ node }) => node);
  const more = names.length > 8 ? ` and ${names.length - 8} more` : '';
  return [`without a moving average, taken as they are: ${names.slice(0, 8).join(', ')}${more}`];
}

/** Takes the statistics of sites that lost their evidence in freezing from the training graph that is given beside. */
function withReference(sites: readonly BatchNorm[], model: Model): readonly BatchNorm[] {
  if (!model.reference) return sites;
  const graph = model.reference.graph.copy();
  runPipeline([inlineFunctions], { graph, outputs: [], inputs: [], flags: [] });
  const variables = findVariables({ ...model.reference, graph, checkpoint: model.checkpoint });
  const known = new Map(
    findBatchNorms(graph, variables, model.checkpoint).sites.map((site) => [site.name, site.statistics]),
  );
  return sites.map((site): BatchNorm => {
    const statistics = known.get(site.name);
    const sure = site.statistics?.evidence.kind === 'update op' || site.statistics?.evidence.kind === 'input';
    if (site.mode === 'inference' || sure || !statistics) return site;
    const evidence = { kind: 'reference', text: statistics.evidence.text } as const;
    return { ...site, statistics: { ...statistics, evidence }, problem: undefined, exempt: undefined };
  });
}
