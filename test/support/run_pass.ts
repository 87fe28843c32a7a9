import type { FoldContext } from '../../src/analysis/folding/context.js';
import { findVariables } from '../../src/analysis/state/variables.js';
import { findBatchNorms } from '../../src/analysis/training/batch_norms.js';
import { parseTensorName } from '../../src/analysis/training/outputs.js';
import { BnfixError } from '../../src/errors.js';
import { nameMatcher, resolveFlags } from '../../src/freezing/resolve_options.js';
import type { Graph } from '../../src/graph/graph.js';
import { topologicalOrder } from '../../src/graph/walk.js';
import { printGraph } from '../../src/notation/print.js';
import type { Pass, PassContext } from '../../src/passes/pass.js';
import { runPipeline } from '../../src/passes/pipeline.js';
import { modelOf } from './model.js';
import { type CaseOptions, checkpointOf } from './text_cases.js';

/** A pass, whatever it asks for. */
export type AnyPass = Pass<PassContext & FoldContext>;

/** The pass in a file of src/passes/; undefined where the file holds something else. */
export async function passOf(name: string): Promise<AnyPass | undefined> {
  const module: Record<string, unknown> = await import(`../../src/passes/${name}.ts`);
  return Object.values(module).find((value): value is AnyPass => (value as Partial<AnyPass>)?.name === name);
}

/** Runs a pass in place; what it is given is found in the graph as `freeze` and `fold` would find it. */
export function runPass(pass: AnyPass, graph: Graph, options: CaseOptions): void {
  runPipeline([pass], contextOf(graph, options));
}

/**
 * What a pass makes of a graph: the graph as text, `unchanged`, or the reason for which it is refused. Nodes among `unnamed`
 * that nothing reads any more are left out.
 */
export function passResult(
  pass: AnyPass,
  graph: Graph,
  options: CaseOptions,
  unnamed: ReadonlySet<string> = new Set(),
): string {
  const before = printGraph(graph);
  try {
    runPass(pass, graph, options);
  } catch (error) {
    if (!(error instanceof BnfixError) || error.code === 'internal') throw error;
    return `refused (${error.code}): ${error.message}\n`;
  }
  if (printGraph(graph) === before) return 'unchanged\n';
  const result = graph.copy();
  const readers = (name: string) => result.dataConsumers(name).length + result.controlConsumers(name).length;
  // Consumers first.
  for (const { name } of [...topologicalOrder(result)].reverse()) {
    if (unnamed.has(name) && readers(name) === 0) result.remove(name);
  }
  return printGraph(result);
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

function contextOf(graph: Graph, options: CaseOptions): PassContext & FoldContext {
  const checkpoint = checkpointOf(options.checkpoint, graph);
  const variables = findVariables(modelOf(graph, checkpoint));
  const outputs = outputNames(graph, options).map(parseTensorName);
  return {
    graph,
    outputs,
    inputs: (options.inputs ?? []).map(parseTensorName),
    flags: resolveFlags(graph, variables, outputs, options),
    variables,
    checkpoint,
    batchNorms: findBatchNorms(graph, variables, checkpoint),
    isKept: nameMatcher(options.keep ?? []),
    allowUntrained: options.allowUntrained ?? false,
    duplicateWeights: options.duplicateWeights ?? false,
  };
}
