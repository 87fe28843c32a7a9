import { isTrainingFused } from '../analysis/training/batch_statistics.js';
import { ConstantEvaluator, type Vector, zip } from '../analysis/values/vectors.js';
import { attrBool, attrString } from '../graph/attrs.js';
import type { Graph } from '../graph/graph.js';
import { type Node, type TensorRef, tensorName } from '../graph/node.js';
import { epsilonAttr } from '../ops/epsilon.js';
import { numbersOf, type TensorValues } from '../run/value.js';
import type { Affine } from './affine.js';
import type { Layer } from './layers.js';
import { unfusedFormula } from './unfused_formula.js';

/** The batch norms of a graph as functions of their inputs, in double precision. */
export class Formulas {
  readonly #graph: Graph;
  readonly #constants: ConstantEvaluator;

  /** @param graph - the saved graph, with the statistics of the checkpoint in place of its batch statistics */
  constructor(graph: Graph) {
    this.#graph = graph;
    this.#constants = new ConstantEvaluator(graph);
  }

  /** Parameters that are computed by other ops than arithmetic: their values are needed. */
  unknown(layers: readonly Layer[]): string[] {
    const refs = layers.flatMap(({ form, name }) =>
      form === 'unfused' ? [] : this.#graph.get(name).inputs.slice(1, 5),
    );
    return [...new Set(refs.filter((ref) => !this.#constants.vector(ref)).map(tensorName))];
  }

  /**
   * (x - mean) / sqrt(variance + epsilon) * scale + offset as one scale and one shift per channel.
   * @param values - of what is {@link unknown}
   * @returns undefined for one in training mode, and an unfused one that is not of that form
   */
  of(layer: Layer, values: TensorValues): Affine | undefined {
    const node = this.#graph.get(layer.name);
    if (layer.form === 'unfused') return unfusedFormula(this.#graph, layer);
    if (layer.form === 'fused' && isTrainingFused(node)) return undefined;
    const inputs = node.inputs.slice(1, 5).map((ref) => this.#constants.vector(ref) ?? given(ref, values));
    return inputs.every((input) => input !== undefined) ? normalization(node, layer.form, inputs) : undefined;
  }
}

function given(ref: TensorRef, values: TensorValues): Vector | undefined {
  const value = values[tensorName(ref)];
  return value && { shape: value.shape, values: numbersOf(value) };
}

/** Of one op: its inputs are scale, offset, mean, variance; before TensorFlow 1.0 mean, variance, offset, scale. */
function normalization(node: Node, form: Layer['form'], inputs: readonly Vector[]): Affine | undefined {
  const isFused = form === 'fused';
  const [gamma, beta, mean, variance] = isFused ? inputs : [inputs[3], inputs[2], inputs[0], inputs[1]];
  const epsilon = epsilonAttr(node);
  const isScaled = isFused || (attrBool(node, 'scale_after_normalization') ?? true);
  const scale = zip(gamma!, variance!, (g, v) => (isScaled ? g : 1) / Math.sqrt(v + epsilon));
  const product = scale && zip(mean!, scale, (m, s) => m * s);
  const shift = product && zip(beta!, product, (b, p) => b - p);
  return scale && shift && { scale: inLayout(node, scale), shift: inLayout(node, shift) };
}

function inLayout(node: Node, { shape, values }: Vector): Vector {
  const format = attrString(node, 'data_format') ?? 'NHWC';
  if (!format.startsWith('NC')) return { shape, values };
  return { shape: [values.length, ...new Array<number>(format.length - 2).fill(1)], values };
}
