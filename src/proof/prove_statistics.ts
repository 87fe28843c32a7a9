import { tensorName } from '../graph/node.js';
import { numbersOf, type TensorValue, type TensorValues, tensorValue } from '../run/value.js';
import { type Affine, applyAffine } from './affine.js';
import { type Comparison, compare } from './compare.js';
import { keptValues } from './compare_graphs.js';
import { Evaluated } from './evaluated.js';
import { expectedGraph } from './expected_graph.js';
import { Formulas } from './formula.js';
import type { Layer } from './layers.js';
import type { LayerReport, Proof } from './report.js';
import { attempt, outputNames, proved, type Subject } from './subject.js';

/**
 * Proves that a repaired graph uses the moving statistics of the checkpoint: each batch norm, and each output, equals that of
 * the saved graph with these statistics. It is computed in double precision from its own input as well:
 * (x - mean) / sqrt(variance + epsilon) * scale + offset.
 */
export async function proveStatistics(subject: Subject): Promise<{ proof: Proof; reports: LayerReport[] }> {
  const reports: LayerReport[] = [];
  const proof = await attempt('statistics', async () => {
    const { repaired, saved, tolerance, analysis, layers, inputs } = subject;
    const names = outputNames(subject);
    const graph = expectedGraph(analysis, saved.graph);
    const formulas = new Formulas(graph);
    const parameters = formulas.unknown(layers);
    const ys = layers.map(({ y }) => tensorName(y));
    const expected = new Evaluated(graph, inputs, names, [...ys, ...parameters]);
    try {
      const after = await repaired.outputs();
      const [wanted, values] = [await expected.outputs(), await expected.run(inputs, parameters)];
      for (let waiting = [...new Set(ys)]; waiting.length > 0; ) {
        const { values: kept, left } = await keptValues(expected, waiting);
        const some = layers.filter(({ y }) => kept.has(tensorName(y)));
        reports.push(...(await reportLayers(subject, some, { formulas, values, kept })));
        waiting = [...left];
      }
      const outputs = names.map((name) => compare(name, after[name]!, wanted[name]!, tolerance));
      return proved('statistics', outputs, [...reports.flatMap(({ error }) => error ?? []), ...outputs]);
    } finally {
      expected.close();
    }
  });
  return { proof, reports };
}

/** The saved graph with the statistics of the checkpoint, and what it computes. */
interface Expected {
  readonly formulas: Formulas;
  /** Of parameters that are computed. */
  readonly values: TensorValues;
  /** The outputs of batch norms. */
  readonly kept: ReadonlyMap<string, TensorValue>;
}

async function reportLayers(subject: Subject, layers: readonly Layer[], expected: Expected): Promise<LayerReport[]> {
  const { repaired, saved, at } = subject;
  const present = layers.filter(({ x, y }) => repaired.has(tensorName(x)) && repaired.has(tensorName(y)));
  const ending = new Map<string, Layer[]>();
  for (const layer of present) ending.set(tensorName(layer.y), [...(ending.get(tensorName(layer.y)) ?? []), layer]);
  const elements = new Map<string, number | undefined>();
  await saved.visit(tensorsOf(layers), () => (name, value) => {
    elements.set(name, elementAt(value, at));
  });
  const reports = new Map<string, LayerReport>();
  await repaired.visit(tensorsOf(present), () => {
    const inputs = new LayerInputs(present);
    return (name, value) => {
      inputs.add(name, value);
      for (const layer of ending.get(name) ?? []) {
        const before = elements.get(name);
        reports.set(layer.name, { ...reportLayer(subject, layer, expected, inputs.take(layer), value), before });
      }
    };
  });
  return layers.map(({ name, x, y }) => {
    const [tensor, input] = [tensorName(y), elements.get(tensorName(x))];
    const before = elements.get(tensor);
    const unknown = { after: undefined, expected: undefined, error: undefined };
    return reports.get(name) ?? { name, tensor, x: input, before, ...unknown };
  });
}

function tensorsOf(layers: readonly Layer[]): string[] {
  return [...new Set(layers.flatMap(({ x, y }) => [x, y]).map(tensorName))];
}

/** The inputs of batch norms, each until the last batch norm that reads it was computed. */
class LayerInputs {
  readonly #readers = new Map<string, number>();
  readonly #values = new Map<string, TensorValue>();

  constructor(layers: readonly Layer[]) {
    for (const { x } of layers) this.#readers.set(tensorName(x), (this.#readers.get(tensorName(x)) ?? 0) + 1);
  }

  add(name: string, value: TensorValue): void {
    if (this.#readers.has(name)) this.#values.set(name, value);
  }

  take({ x }: Layer): TensorValue | undefined {
    const name = tensorName(x);
    const value = this.#values.get(name);
    const readers = this.#readers.get(name)! - 1;
    this.#readers.set(name, readers);
    if (readers === 0) this.#values.delete(name);
    return value;
  }
}

/** How many times its last bit a result of a few float32 ops may be off. */
const ROUNDINGS = 8;
const LAST_BIT = 2 ** -24;

function reportLayer(
  { tolerance, at }: Subject,
  layer: Layer,
  { formulas, values, kept }: Expected,
  x: TensorValue | undefined,
  actual: TensorValue,
): Omit<LayerReport, 'before'> {
  const tensor = tensorName(layer.y);
  const errors = [compare(tensor, actual, kept.get(tensor)!, tolerance)];
  const formula = x && formulaValue(formulas.of(layer, values), x, actual.shape);
  if (formula) {
    const rounding = ROUNDINGS * LAST_BIT * formula.magnitude;
    errors.push(compare(tensor, actual, formula.value, { ...tolerance, atol: tolerance.atol + rounding }));
  }
  return {
    name: layer.name,
    tensor,
    x: elementAt(x, at),
    after: elementAt(actual, at),
    expected: elementAt(formula?.value, at),
    error: worst(errors),
  };
}

function formulaValue(affine: Affine | undefined, x: TensorValue, shape: readonly number[]) {
  const computed = affine && applyAffine(affine, numbersOf(x), shape);
  return computed && { value: tensorValue('float64', shape, computed.values), magnitude: computed.magnitude };
}

function worst(errors: readonly Comparison[]): Comparison | undefined {
  return errors.find(({ isWithin }) => !isWithin) ?? errors.at(-1);
}

/** An element of a tensor; the first one of a tensor that has none there. */
function elementAt(value: TensorValue | undefined, at: readonly number[]): number | undefined {
  if (!value || value.dtype === 'string') return undefined;
  const { shape, data } = value;
  const isIn = at.length === shape.length && at.every((index, axis) => index < shape[axis]!);
  const index = isIn ? at.reduce((sum, each, axis) => sum * shape[axis]! + each, 0) : 0;
  const element = data[index];
  return element === undefined ? undefined : Number(element);
}
