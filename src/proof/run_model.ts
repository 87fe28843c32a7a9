import { BnfixError } from '../errors.js';
import { analyse } from '../freezing/analyse.js';
import type { Analysis } from '../freezing/analysis.js';
import { apply, refuseNeverComputed } from '../freezing/apply.js';
import { refuseWithoutCheckpoint } from '../freezing/no_checkpoint.js';
import type { FreezeOptions } from '../freezing/options.js';
import { isAboutOutputs, refuse } from '../freezing/refuse.js';
import type { Graph } from '../graph/graph.js';
import type { Model } from '../graph/model.js';
import { tensorName } from '../graph/node.js';
import { readNumbers } from '../graph/tensor.js';
import { sourceOf } from '../graph/walk.js';
import { anyOf, isIdentity } from '../ops/meaning.js';
import { runGraph } from '../run/run.js';
import type { TensorValues } from '../run/value.js';
import { withPinnedRandomOps } from './pinned_random.js';
import { graphInputs, type Sample, type SampleOptions, samples } from './samples.js';
import { savedGraph } from './saved_graph.js';

/** Options of {@link runModel}: those of `freeze`, whose `outputs` are the tensors to fetch, and how random inputs are drawn. */
export interface RunModelOptions extends SampleOptions {
  readonly freeze: FreezeOptions;
  /** Run the repaired graph instead of the saved one. */
  readonly repaired: boolean;
  /** Values of placeholders, or of other tensors in place of what computes them. */
  readonly values: (graph: Graph) => TensorValues;
}

/** What a model computed. */
export interface ModelRun {
  readonly analysis: Analysis;
  /** Flags that kept the values which the graph gives them by default. */
  readonly defaults: ReadonlySet<string>;
  /** The dropouts that were active. */
  readonly dropouts: readonly string[];
  /** Those that were left out, because inputs that only they need have no value. */
  readonly withoutDropouts: readonly string[];
  /** These inputs. */
  readonly missing: readonly string[];
  /** What it was run with. */
  readonly inputs: readonly Sample[];
  /** The fetched tensors, by `name:port`. */
  readonly outputs: TensorValues;
}

/**
 * Runs a model as it was saved, with the weights of its checkpoint: batch norms in training mode use batch statistics, dropouts are
 * active, unless their rate is an input without a value. A training flag keeps its default; one without default has its value at
 * inference, unless it is set. Random ops draw the same numbers each time.
 *
 * @throws BnfixError `usage` for unknown tensors, when it is not clear what to fetch, and for inputs without a value; `statistics` when
 *   the checkpoint lacks a variable, `unreadable` when there is none; `unsupported` for an op that cannot be run; with `repaired` also like `freeze`
 */
export async function runModel(model: Model, options: RunModelOptions): Promise<ModelRun> {
  const { analysis, defaults } = analysedAsSaved(model, options);
  // What cannot be frozen may still run: only which tensors to fetch has to be certain.
  refuse({ ...analysis, problems: analysis.problems.filter(isAboutOutputs) });
  refuseNeverComputed(analysis);
  try {
    return await runAnalysed({ analysis, defaults }, model, options);
  } catch (error) {
    if (error instanceof BnfixError && error.code === 'statistics') refuseWithoutCheckpoint(analysis);
    throw error;
  }
}

async function runAnalysed(
  { analysis, defaults }: ReturnType<typeof analysedAsSaved>,
  model: Model,
  options: RunModelOptions,
): Promise<ModelRun> {
  const fetches = analysis.outputs.refs;
  const { graph, given, ...dropouts } = graphOf(analysis, options);
  const isInput = inputTest(graph);
  const others = Object.entries(given).filter(([name]) => !isInput(name));
  const ofInputs = Object.fromEntries(Object.entries(given).filter(([name]) => isInput(name)));
  const replaced = others.map(([name, value]): Sample => ({ name, value, isGiven: true, isBatched: false }));
  const known = [...replaced.map(({ name }) => name), ...ownDefaults(graph, given, options)];
  const names = known.map((name) => (name.includes(':') ? name : `${name}:0`));
  const inputs = [...samples(graph, fetches, ofInputs, model.graph, options, names), ...replaced];
  const feeds = Object.fromEntries(inputs.map(({ name, value }) => [name, value]));
  const outputs = await runGraph(graph, feeds, fetches.map(tensorName));
  return { analysis, defaults, ...dropouts, inputs, outputs };
}

/** The graph to run, the values that are given, and what became of its dropouts. */
function graphOf(analysis: Analysis, { repaired, values }: RunModelOptions) {
  const names = analysis.dropouts.map(({ output }) => output);
  const without = withPinnedRandomOps(repaired ? apply(analysis).graph : savedGraph(analysis));
  const plainRun = { graph: without, dropouts: [], withoutDropouts: [], missing: [] };
  if (repaired || names.length === 0) return { ...plainRun, given: values(without) };
  const graph = withPinnedRandomOps(savedGraph(analysis, { dropouts: true }));
  const given = values(graph);
  const isGiven = new Set(Object.keys(given).map(plain));
  const missing = graphInputs(graph)
    .map(({ name }) => name)
    .filter((name) => !isGiven.has(name) && !without.has(name) && !hasDefault(graph.get(name)));
  if (missing.length > 0) return { ...plainRun, given: values(without), withoutDropouts: names, missing };
  return { ...plainRun, graph, given, dropouts: names };
}

/** The analysis in which placeholders keep their defaults, unless they are set, or the repaired graph is wanted. */
function analysedAsSaved(model: Model, { freeze, repaired }: RunModelOptions) {
  const analysis = analyse(model, freeze);
  const defaults = repaired ? new Map<string, number>() : defaultsOf(analysis);
  if (defaults.size === 0) return { analysis, defaults: new Set<string>() };
  const set = { ...Object.fromEntries(defaults), ...freeze.set };
  return { analysis: analyse(model, { ...freeze, set }), defaults: new Set(defaults.keys()) };
}

const hasDefault = anyOf('default_placeholder');

/** The defaults of flags that have another value at inference. */
function defaultsOf({ flags, model }: Analysis): Map<string, number> {
  const defaults = new Map<string, number>();
  for (const { node, value, reason } of flags) {
    const found = reason.code === 'given' ? undefined : model.graph.find(node);
    const [input] = found && hasDefault(found) ? found.inputs : [];
    const tensor = input && model.graph.find(sourceOf(model.graph, input, isIdentity).node)?.tensor;
    const [number] = tensor ? readNumbers(tensor) : [];
    if (number !== undefined && number !== value) defaults.set(node, number);
  }
  return defaults;
}

/** Placeholders that keep their default. */
function ownDefaults(graph: Graph, given: TensorValues, { shapes = {} }: SampleOptions): string[] {
  const named = new Set([...Object.keys(given), ...Object.keys(shapes)].map(plain));
  return [...graph.nodes()].filter((node) => hasDefault(node) && !named.has(node.name)).map(({ name }) => name);
}

const plain = (name: string) => name.replace(/:0$/, '');

function inputTest(graph: Graph): (name: string) => boolean {
  const names = new Set(graphInputs(graph).map(({ name }) => name));
  return (name) => names.has(plain(name));
}
