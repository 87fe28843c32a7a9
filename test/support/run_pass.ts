import { expect } from 'vitest';
import type { FoldContext } from '../../src/analysis/folding/context.js';
import { findLift } from '../../src/analysis/runnable/lift.js';
import { findChosenReplicas, findEqualReplicas } from '../../src/analysis/runnable/replicas.js';
import { findAssignedReads } from '../../src/analysis/state/last_batch.js';
import { findUpdates } from '../../src/analysis/state/moving_averages.js';
import { findVariables } from '../../src/analysis/state/variables.js';
import { findActivations } from '../../src/analysis/training/activations.js';
import type { Problem } from '../../src/analysis/training/problems.js';
import { resolveBranches } from '../../src/analysis/training/resolved_branches.js';
import { Shapes } from '../../src/analysis/values/shapes.js';
import { findUnitSlices } from '../../src/analysis/values/unit_slices.js';
import { BnfixError } from '../../src/errors.js';
import { analysePrepared } from '../../src/freezing/analyse.js';
import type { Analysis } from '../../src/freezing/analysis.js';
import { resolveFlags, variableReads } from '../../src/freezing/flags.js';
import { givenNames } from '../../src/freezing/given_names.js';
import { nameMatcher } from '../../src/freezing/name_matcher.js';
import { givenOutputs } from '../../src/freezing/outputs.js';
import { refuse } from '../../src/freezing/refuse.js';
import type { Graph } from '../../src/graph/graph.js';
import { parseTensorName } from '../../src/graph/node.js';
import { topologicalOrder } from '../../src/graph/walk.js';
import { printGraph } from '../../src/notation/print.js';
import { findLooseEdge } from '../../src/ops/loose_edges.js';
import type {
  AssignedPlan,
  BranchPlan,
  FreezePlan,
  NamePlan,
  On,
  ShapePlan,
  SlicePlan,
  UnfreezePlan,
} from '../../src/passes/pass.js';
import { dataText } from './data_text.js';
import { modelOf } from './model.js';
import { type CaseOptions, checkpointOf } from './text_cases.js';

/** What any pass may ask for. */
type PassContext = On<FreezePlan & BranchPlan & SlicePlan & AssignedPlan & ShapePlan & NamePlan & UnfreezePlan> &
  FoldContext;

/** A pass, whatever it asks for. */
export interface AnyPass {
  readonly name: string;
  run(context: PassContext): unknown;
}

/** The pass in a file of src/passes/; undefined where the file holds something else. */
export async function passOf(name: string): Promise<AnyPass | undefined> {
  const module: Record<string, unknown> = await import(`../../src/passes/${name}.ts`);
  return Object.values(module).find((value): value is AnyPass => (value as Partial<AnyPass>)?.name === name);
}

/** Runs a pass in place; what it is given is found in the graph as `freeze` and `fold` would find it. */
export function runPass(pass: AnyPass, graph: Graph, options: CaseOptions): unknown {
  const { producer } = options;
  if (producer !== undefined) graph.setHeader({ ...graph.header, versions: { producer } });
  const result = pass.run(contextOf(pass.name, graph, options));
  expect(findLooseEdge(graph)).toBeUndefined();
  return result;
}

/**
 * What a pass makes of a graph: the graph as text, `unchanged`, or the reasons for which it is refused. Nodes among `unnamed`
 * that nothing reads any more are left out.
 */
export function passResult(
  pass: AnyPass,
  graph: Graph,
  options: CaseOptions,
  unnamed: ReadonlySet<string> = new Set(),
): string {
  const before = printGraph(graph) + functionsText(graph);
  try {
    runPass(pass, graph, options);
  } catch (error) {
    if (!(error instanceof BnfixError) || error.code === 'internal') throw error;
    const problems = error.data?.problems as readonly Problem[] | undefined;
    const reasons = problems?.map(dataText) ?? [`${error.message} (${error.code})`];
    return reasons.map((reason) => `refused: ${reason}\n`).join('');
  }
  if (printGraph(graph) + functionsText(graph) === before) return 'unchanged\n';
  const result = graph.copy();
  const readers = (name: string) => result.dataConsumers(name).length + result.controlConsumers(name).length;
  // Consumers first.
  for (const { name } of [...topologicalOrder(result)].reverse()) {
    if (unnamed.has(name) && readers(name) === 0) result.remove(name);
  }
  return printGraph(result) + functionsText(result);
}

/** The functions of a graph, by name. */
function functionsText({ header }: Graph): string {
  const names = (header.library?.function ?? []).map((fn) => fn.signature?.name);
  return names.length > 0 ? `# functions: ${names.join(', ')}\n` : '';
}

/** The nodes of a graph that have no line of their own in its text: nested ones, and inputs that no line defines. */
export function unnamedNodes(graph: Graph, text: string): Set<string> {
  const named = new Set([...text.matchAll(/^(\S+) = /gm)].map(([, name]) => name));
  return new Set([...graph.nodes()].map(({ name }) => name).filter((name) => !named.has(name)));
}

/** The outputs of a case: those that it names, `y`, or the last node. */
export function outputNames(graph: Graph, { outputs }: CaseOptions): readonly string[] {
  return outputs ?? (graph.has('y') ? ['y'] : [...graph.nodes()].slice(-1).map(({ name }) => name));
}

/** Constants that could be variables: of rank 1 and more. */
function weightsOf(graph: Graph): string[] {
  return [...graph.nodes()]
    .filter(({ op, tensor }) => op === 'Const' && tensor!.shape.length > 0)
    .map(({ name }) => name);
}

/** Passes that carry out what the analysis has found, or refused. */
const CARRIES_OUT: ReadonlySet<string> = new Set([
  'rewire_batch_norms',
  'replace_statistics',
  'remove_dropout',
  'freeze_variables',
]);

/**
 * What a pass is given: what `freeze` would find in the graph as it stands.
 * @throws BnfixError for what stands against freezing it
 */
function contextOf(pass: string, graph: Graph, options: CaseOptions): PassContext {
  const checkpoint = checkpointOf(options.checkpoint, graph);
  const model = modelOf(graph, checkpoint);
  const variables = findVariables(model);
  const refs = outputNames(graph, options).map(parseTensorName);
  const isKept = nameMatcher(options.keep ?? []);
  const updates = () => findUpdates(graph, variables, findActivations(graph));
  const flags = resolveFlags(graph, refs, options, isKept, variableReads(variables, updates));
  const shapes = new Shapes(graph);
  const cut = (options.inputs ?? []).map(parseTensorName).map((tensor) => ({ tensor, shape: shapes.of(tensor) }));
  const prepare = { outputs: refs, inputs: cut, flags };
  const outputs = givenOutputs(refs);
  const reads = findAssignedReads(graph, updates().lastBatches, refs);
  const asPrepared = { model, graph, outputs, plan: prepare, variables, isKept, options, updates: updates() };
  const found = analysePrepared({ ...asPrepared, asTrained: undefined, selected: undefined, inLoops: new Map() });
  const { plan } = found;
  // The others come before what is refused, or after it.
  if (CARRIES_OUT.has(pass)) {
    const given: Analysis['inputs'] = { refs: cut.map(({ tensor }) => tensor), source: 'given' };
    refuse({ ...found, outputs, graph, model, variables, flags, inputs: given });
  }
  const prepared = {
    lift: findLift(graph, refs, new Set()),
    replicas: new Map([...findEqualReplicas(graph), ...findChosenReplicas(graph, refs)]),
    branches: resolveBranches(graph, refs, new Map(flags.map(({ node, value }) => [node, value]))),
    slices: findUnitSlices(graph),
    constants: weightsOf(graph),
  };
  const result = {
    shapes: Object.entries(options.inputShapes ?? {}).map(([placeholder, shape]) => ({ placeholder, shape })),
    names: givenNames(graph, refs, options),
  };
  const { duplicateWeights = false, keepsFused = false } = options;
  return { ...plan, ...prepared, ...result, reads, graph, isKept, duplicateWeights, keepsFused };
}
