import type { Graph } from '../graph/graph.js';
import { tensorName } from '../graph/node.js';
import { numbersOf, type TensorValue, type TensorValues, tensorValue } from '../run/value.js';
import { type Comparison, compare } from './compare.js';
import { expectedGraph } from './expected_graph.js';
import { fusedFormula } from './formula.js';
import type { Layer } from './layers.js';
import type { LayerReport, Proof } from './report.js';
import { attempt, outputNames, outputsOf, proved, runOn, type Subject } from './subject.js';

/** How many batch norms are fetched in one run: their inputs and outputs are in memory at the same time. */
const LAYERS_PER_RUN = 16;

/**
 * Proves that a repaired graph uses the moving statistics of the checkpoint: each batch norm, and each output, equals that of
 * the saved graph with these statistics. A fused one is computed in double precision from its own input as well:
 * (x - mean) / sqrt(variance + epsilon) * scale + offset.
 */
export async function proveStatistics(subject: Subject): Promise<{ proof: Proof; reports: LayerReport[] }> {
  const { layers } = subject;
  const reports: LayerReport[] = [];
  const proof = await attempt('statistics', async () => {
    const { repaired, saved, tolerance, analysis } = subject;
    const expected = expectedGraph(analysis, saved);
    const names = outputNames(subject);
    const [after, wanted] = [await outputsOf(subject, repaired), await outputsOf(subject, expected)];
    const outputs = names.map((name) => compare(name, after[name]!, wanted[name]!, tolerance));
    for (let at = 0; at < layers.length; at += LAYERS_PER_RUN) {
      reports.push(...(await reportLayers(subject, expected, layers.slice(at, at + LAYERS_PER_RUN))));
    }
    const differing = reports.find(({ error }) => error && !error.isWithin)?.error;
    return proved('statistics', outputs, { firstDifference: differing ?? outputs.find(({ isWithin }) => !isWithin) });
  });
  return { proof, reports };
}

async function reportLayers(subject: Subject, expected: Graph, layers: readonly Layer[]): Promise<LayerReport[]> {
  const { repaired, saved, inputs } = subject;
  const inRepaired = layers.filter(({ y, x }) => repaired.has(y.node) && repaired.has(x.node));
  const both = (some: readonly Layer[]) => some.flatMap(({ x, y }) => [x, y]).map(tensorName);
  const parameters = layers.filter(({ isFused }) => isFused).flatMap(({ name }) => expected.get(name).inputs.slice(1));
  const before = await runOn(saved, inputs, both(layers));
  const after = await runOn(repaired, inputs, both(inRepaired));
  const wanted = await runOn(expected, inputs, [...both(layers), ...parameters.map(tensorName)]);
  return layers.map((layer) => reportLayer(subject, expected, layer, { before, after, wanted }));
}

interface Runs {
  readonly before: TensorValues;
  readonly after: TensorValues;
  readonly wanted: TensorValues;
}

function reportLayer({ tolerance, at }: Subject, expected: Graph, layer: Layer, runs: Runs): LayerReport {
  const [x, y] = [tensorName(layer.x), tensorName(layer.y)];
  const [actual, input] = [runs.after[y], runs.after[x]];
  const formula = layer.isFused && input ? fusedFormula(expected.get(layer.name), input, runs.wanted) : undefined;
  const report = {
    name: layer.name,
    tensor: y,
    x: elementAt(input ?? runs.before[x], at),
    before: elementAt(runs.before[y], at),
    after: elementAt(actual, at),
    expected: formula && elementAt(tensorValue('float64', input!.shape, formula), at),
  };
  if (!actual) return { ...report, error: undefined };
  const errors = [compare(y, actual, runs.wanted[y]!, tolerance)];
  if (formula) errors.push(compare(y, actual, tensorValue('float64', actual.shape, formula), tolerance));
  return { ...report, error: worst(errors) };
}

function worst(errors: readonly Comparison[]): Comparison | undefined {
  return errors.find(({ isWithin }) => !isWithin) ?? errors.at(-1);
}

/** An element of a tensor; the first one of a tensor that has none there. */
function elementAt(value: TensorValue | undefined, at: readonly number[]): number | undefined {
  if (!value || value.dtype === 'string') return undefined;
  const { shape } = value;
  const isIn = at.length === shape.length && at.every((index, axis) => index < shape[axis]!);
  const index = isIn ? at.reduce((sum, each, axis) => sum * shape[axis]! + each, 0) : 0;
  return numbersOf(value)[index];
}
