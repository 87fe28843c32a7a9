import type { Graph } from '../graph/graph.js';
import { tensorName } from '../graph/node.js';
import { numbersOf, type TensorValue, type TensorValues, tensorValue } from '../run/value.js';
import { type Affine, applyAffine } from './affine.js';
import { type Comparison, compare } from './compare.js';
import { keptValues } from './compare_graphs.js';
import { counterpartOf } from './counterparts.js';
import { Evaluated } from './evaluated.js';
import { expectedGraph } from './expected_graph.js';
import { Formulas } from './formula.js';
import type { Layer } from './layers.js';
import { withOrigin } from './origin.js';
import type { LayerReport, Proof } from './report.js';
import { attempt, ifRunnable, outputNames, proved, type Subject } from './subject.js';

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
      const proof = proved('statistics', outputs, [...reports.flatMap(({ error }) => error ?? []), ...outputs]);
      const runs = [repaired.graph, graph].map((each) => ({ graph: each, inputs }));
      return await withOrigin(proof, subject, [runs[0]!, runs[1]!]);
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
  const elements = new Map<string, number | undefined>();
  const ends = new Set(layers.flatMap(({ x, y }) => [tensorName(x), tensorName(y)]));
  await ifRunnable(() =>
    saved.visit([...ends], () => (name, value) => {
      elements.set(name, elementAt(value, at));
    }),
  );
  const located = layers.flatMap((layer) => locatedIn(repaired.graph, saved.graph, layer) ?? []);
  const reports = new Map<string, Omit<LayerReport, 'before'>>();
  await repaired.visit([...new Set(located.flatMap(({ x, y }) => [x, y]))], () => {
    const pairs = new Pairs(located);
    return (name, value) => {
      for (const { layer, x, y } of pairs.completed(name, value)) {
        reports.set(layer.name, reportLayer(subject, layer, expected, x, y));
      }
    };
  });
  return layers.map(({ name, x, y }) => {
    const before = elements.get(tensorName(y));
    const unknown = { after: undefined, expected: undefined, error: undefined };
    return {
      ...(reports.get(name) ?? { name, tensor: tensorName(y), x: elements.get(tensorName(x)), ...unknown }),
      before,
    };
  });
}

/** A batch norm, and the names of its input and its output in a repaired graph. */
interface Located {
  readonly layer: Layer;
  readonly x: string;
  readonly y: string;
}

function locatedIn(repaired: Graph, saved: Graph, layer: Layer): Located | undefined {
  const [x, y] = [layer.x, layer.y].map((ref) => counterpartOf(saved, ref, repaired));
  return x && y && { layer, x: tensorName(x), y: tensorName(y) };
}

/** The inputs and outputs of batch norms, which come in any order, each for as long as it is needed. */
class Pairs {
  readonly #waiting = new Map<string, Located[]>();
  readonly #values = new Map<string, TensorValue>();

  constructor(located: readonly Located[]) {
    for (const each of located) {
      for (const name of new Set([each.x, each.y])) this.#waiting.set(name, [...(this.#waiting.get(name) ?? []), each]);
    }
  }

  /** Adds a value. @returns the batch norms of which input and output are known now */
  completed(name: string, value: TensorValue): { layer: Layer; x: TensorValue; y: TensorValue }[] {
    this.#values.set(name, value);
    const found = this.#waiting.get(name)!.flatMap((each) => {
      const [x, y] = [this.#values.get(each.x), this.#values.get(each.y)];
      return x && y ? [{ each, pair: { layer: each.layer, x, y } }] : [];
    });
    for (const { each } of found) for (const end of new Set([each.x, each.y])) this.#release(end, each);
    return found.map(({ pair }) => pair);
  }

  #release(name: string, located: Located): void {
    const others = this.#waiting.get(name)!.filter((each) => each !== located);
    this.#waiting.set(name, others);
    if (others.length === 0) this.#values.delete(name);
  }
}

/** How many times its last bit a result of a few float32 ops may be off. */
const ROUNDING_STEPS = 8;
const LAST_BIT = 2 ** -24;

function reportLayer(
  { tolerance, at }: Subject,
  layer: Layer,
  { formulas, values, kept }: Expected,
  x: TensorValue,
  actual: TensorValue,
): Omit<LayerReport, 'before'> {
  const tensor = tensorName(layer.y);
  const errors = [compare(tensor, actual, kept.get(tensor)!, tolerance)];
  const formula = formulaValue(formulas.of(layer, values), x, actual.shape);
  if (formula) {
    const rounding = ROUNDING_STEPS * LAST_BIT * formula.magnitude;
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
