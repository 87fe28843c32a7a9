import { findMixedLoops } from '../analysis/runnable/mixed_loops.js';
import type { Obstacle } from '../analysis/runnable/obstacle.js';
import { findShapeConflicts } from '../analysis/runnable/shape_conflicts.js';
import { findActivations } from '../analysis/training/activations.js';
import type { Problem } from '../analysis/training/problems.js';
import { BnfixError } from '../errors.js';
import type { Graph } from '../graph/graph.js';
import type { Model } from '../graph/model.js';
import type { TensorRef } from '../graph/node.js';
import type { NodeSet } from '../graph/node_set.js';
import { ancestors } from '../graph/walk.js';
import type { Outcome } from '../passes/outcome.js';
import { replacingVariables } from '../passes/pass.js';
import { FINISH_PIPELINE, FREEZE_PIPELINE, NAME_PIPELINE, runPipeline } from '../passes/pipeline.js';
import { renamedOutputs } from '../passes/rename_outputs.js';
import { type EncodedGraph, layOutGraphDef, withinLimit } from '../writers/graph_def.js';
import type { Analysis } from './analysis.js';
import { givenNames } from './given_names.js';
import { fixShapes } from './input_shapes.js';
import { nameMatcher } from './name_matcher.js';
import { refuse } from './refuse.js';
import { type FreezeReport, freezeReport } from './report.js';
import { assertStillFed, type FedBy, fedBy } from './still_fed.js';
import type { TargetName } from './target_names.js';
import { targetNamed } from './targets.js';

/** A frozen graph that is ready to be written. */
export interface FrozenModel {
  /** What it was made from. */
  readonly model: Model;
  readonly graph: Graph;
  readonly report: FreezeReport;
  /**
   * The binary GraphDef; weights are read while its chunks are consumed. Other formats do without it: reading this property of a
   * graph over 2 GiB, the limit of a GraphDef, throws a BnfixError `unwritable`.
   */
  readonly encoded: EncodedGraph;
  /** The program that it was made for, if the options named one. */
  readonly target?: TargetName | undefined;
}

/**
 * Makes the frozen graph that an analysis describes. Does not change the analysis.
 *
 * @example
 * import { analyse, apply, load } from 'bnfix';
 * const model = await load('model.meta');
 * const analysis = analyse(model);
 * const frozen = analysis.problems.length === 0 ? apply(analysis) : undefined;
 * frozen.graph.size; // 64
 * model.close();
 *
 * @throws BnfixError `usage` when outputs have to be named, `statistics` or `unsupported` for the other {@link Analysis.problems},
 *   all of them at once; `internal` when an output lost an input
 */
export function apply(analysis: Analysis): FrozenModel {
  const { graph, outcomes, fed } = frozenGraph(analysis);
  const finished = finish(analysis, graph, fed);
  const obstacles = checkedToRun(analysis, graph, finished.outputs);
  return new Frozen(analysis, graph, [...outcomes, ...finished.outcomes], obstacles, finished.outputs);
}

/** What the last changes of a graph did. */
interface Finished {
  readonly outcomes: Outcome[];
  /** The outputs by their names in the result. */
  readonly outputs: readonly TensorRef[];
}

/**
 * The last changes of a frozen or folded graph, in place.
 * @param fed - what has to feed the outputs
 * @throws BnfixError `usage` when an output cannot get a name
 */
export function finish({ outputs, options }: Analysis, graph: Graph, fed: FedBy): Finished {
  const names = givenNames(graph, outputs.refs, options);
  const isKept = nameMatcher(options.keep ?? []);
  const outcomes = runPipeline(FINISH_PIPELINE, { graph, outputs: outputs.refs, isKept });
  for (const outcome of runPipeline(targetNamed(options.target).passes, { graph, outputs: outputs.refs, isKept })) {
    outcomes.push(outcome);
  }
  assertStillFed(fed, fedBy(graph, outputs.refs));
  const named = names.length > 0 ? runPipeline(NAME_PIPELINE, { graph, outputs: outputs.refs, names }) : [];
  return { outcomes: [...outcomes, ...named], outputs: renamedOutputs(outputs.refs, names) };
}

/** The graph of {@link apply} before it is finished, and what was done to it. @throws BnfixError as {@link apply} does */
export function frozenGraph(analysis: Analysis): { graph: Graph; outcomes: Outcome[]; fed: FedBy } {
  refuse(analysis);
  refuseNeverComputed(analysis);
  const graph = analysis.graph.copy(inReach(analysis));
  const dropped = analysis.graph.size - graph.size;
  const done = runPipeline(FREEZE_PIPELINE, { ...analysis.plan, graph });
  const outcomes = [...analysis.prepared, ...done.map((outcome) => withDropped(outcome, dropped))];
  assertStillFed(analysis.fed, fedBy(graph, analysis.outputs.refs));
  assertStillData(graph, analysis.fedOutputs);
  const shaped = fixShapes(analysis, graph);
  // An input whose shape alone was read feeds nothing any more.
  const fed = shaped.length > 0 ? fedBy(graph, analysis.outputs.refs) : analysis.fed;
  return { graph, outcomes: [...outcomes, ...shaped], fed };
}

/**
 * Checks a finished graph for what TensorFlow refuses to import.
 * @returns what the user wants to keep nevertheless
 * @throws BnfixError `unsupported` with everything that was found
 */
export function checkedToRun(analysis: Analysis, graph: Graph, outputs: readonly TensorRef[]): Obstacle[] {
  const { options } = analysis;
  const isKept = nameMatcher(options.keep ?? []);
  const found = [...findMixedLoops(graph, outputs), ...findShapeConflicts(graph)];
  const problems = found
    .filter(({ node }) => !isKept(node))
    .map((obstacle): Problem => ({ code: 'cannot_run', obstacle }));
  refuse({ ...analysis, graph, problems });
  return found;
}

/** Nodes that feed or precede an output, and variables that replace statistics: excludes most training ops. */
function inReach({ graph, outputs, needed, plan }: Analysis): NodeSet {
  const initializers = plan.tables.map(({ initializer }) => initializer);
  const rows = replacingVariables(plan).flatMap(({ row }) => (row ? [row.read] : []));
  return ancestors(graph, [...[...outputs.refs, ...needed, ...rows].map(({ node }) => node), ...initializers]);
}

/** Nodes that were never copied count as stripped. */
function withDropped(outcome: Outcome, dropped: number): Outcome {
  if (outcome.kind !== 'stripped') return outcome;
  return { ...outcome, removed: outcome.removed + dropped, of: outcome.of + dropped };
}

class Frozen implements FrozenModel {
  readonly graph: Graph;
  readonly #analysis: Analysis;
  readonly #outcomes: readonly Outcome[];
  readonly #obstacles: readonly Obstacle[];
  readonly #outputs: readonly TensorRef[];
  #layout: EncodedGraph | undefined;
  #report: FreezeReport | undefined;

  constructor(
    analysis: Analysis,
    graph: Graph,
    outcomes: readonly Outcome[],
    obstacles: readonly Obstacle[],
    outputs: readonly TensorRef[],
  ) {
    this.#outputs = outputs;
    this.#analysis = analysis;
    this.graph = graph;
    this.#outcomes = outcomes;
    this.#obstacles = obstacles;
  }

  get model(): Model {
    return this.#analysis.model;
  }

  get target(): TargetName | undefined {
    return this.#analysis.options.target;
  }

  get encoded(): EncodedGraph {
    return withinLimit(this.#laidOut());
  }

  get report(): FreezeReport {
    this.#report ??= freezeReport(this.#analysis, this.graph, {
      outcomes: this.#outcomes,
      outputs: this.#outputs,
      byteLength: this.#laidOut().byteLength,
      obstacles: this.#obstacles,
    });
    return this.#report;
  }

  #laidOut(): EncodedGraph {
    this.#layout ??= layOutGraphDef(this.graph);
    return this.#layout;
  }
}

/**
 * Refuses an output on a branch that a flag never takes: it has no value, and is not in the graph any more.
 * @throws BnfixError `usage` with the first such output
 */
export function refuseNeverComputed({ graph, outputs, flags }: Analysis): void {
  const lost = outputs.refs.find(({ node }) => !graph.has(node));
  if (!lost) return;
  const settings = flags.map(({ node, value }) => `${node}=${value}`);
  throw new BnfixError('usage', `${lost.node} is never computed at inference`, {
    where: lost.node,
    why: `it is on a branch that is not taken${settings.length > 0 ? ` with ${settings.join(', ')}` : ''}`,
    fix: { option: 'outputs', value: 'TENSOR', text: 'names an output of the net' },
    option: 'outputs',
  });
}

/** An output that no longer depends on any input of the net has lost the net. */
function assertStillData(graph: Graph, outputs: readonly TensorRef[]): void {
  if (outputs.length === 0) return;
  const fed = findActivations(graph);
  const lost = outputs.find(({ node }) => !fed.hasNamed(node));
  if (!lost) return;
  throw new BnfixError('internal', `${lost.node} no longer depends on the input of the net`, {
    where: lost.node,
    why: 'a tensor that feeds it was treated as a constant',
    fix: ['please report it', { option: 'keep', value: 'NAME', text: 'leaves a batch norm, dropout or flag as it is' }],
  });
}
