import { variableValue } from '../analysis/state/checkpoint_value.js';
import type { Variables } from '../analysis/state/variables.js';
import { type Stored, storedAt } from '../analysis/training/stored_statistics.js';
import { ConstantEvaluator, MAX_CHANNELS } from '../analysis/values/vectors.js';
import { BnfixError } from '../errors.js';
import type { Analysis } from '../freezing/analysis.js';
import type { Graph } from '../graph/graph.js';
import type { Checkpoint } from '../graph/model.js';
import { type Node, refText, type TensorRef } from '../graph/node.js';
import { elementCount, readNumbers } from '../graph/tensor.js';
import { sourceOf } from '../graph/walk.js';
import { concatenation } from '../ops/concatenation.js';
import { anyOf } from '../ops/meaning.js';

const forwards = anyOf('identity', 'cast', 'reshape', 'enter');
const isConcat = anyOf('concat');

const isProduct = anyOf('multiply');
const MAX_FACTORS = 8;

/** Reads what batch norms store per channel: statistics, scale and offset. */
export class StoredValues {
  readonly #graph: Graph;
  readonly #variables: Variables;
  readonly #checkpoint: Checkpoint | undefined;
  readonly #constants: ConstantEvaluator;
  /** Tensors that are a constant at inference, by `node:port`. */
  readonly #replaced: ReadonlyMap<string, number>;

  constructor({ graph, variables, model, plan }: Analysis) {
    this.#graph = graph;
    this.#variables = variables;
    this.#checkpoint = model.checkpoint;
    this.#constants = new ConstantEvaluator(graph);
    this.#replaced = new Map(
      plan.replacements.flatMap(({ tensor, by }) => ('value' in by ? [[refText(tensor), by.value] as const] : [])),
    );
  }

  /** The variable or the constant that a tensor is, possibly cast or reshaped. */
  at(ref: TensorRef | undefined): Stored | undefined {
    return ref && storedAt(this.#graph, this.#variables, ref);
  }

  /** Its numbers; undefined if it has no value, or is too large. */
  numbersOf(stored: Stored | undefined): Float64Array | undefined {
    if (!stored) return undefined;
    try {
      const tensor = stored.kind === 'constant' ? stored.tensor : variableValue(stored.variable, this.#checkpoint);
      return elementCount(tensor.shape) > MAX_CHANNELS ? undefined : readNumbers(tensor);
    } catch (error) {
      if (error instanceof BnfixError && MISSING.has(error.code)) return undefined;
      throw error;
    }
  }

  /** The numbers of a tensor: of a variable or its parts, a constant, or of what is computed from constants. */
  numbersAt(ref: TensorRef | undefined): Float64Array | undefined {
    if (!ref) return undefined;
    const refs = this.#partsOf(ref);
    if (refs.length === 0) return this.numbersOf(this.at(ref)) ?? this.#constants.vector(ref)?.values;
    const parts = refs.map((part) => this.numbersOf(this.at(part)));
    const known = parts.filter((part) => part !== undefined);
    return known.length === parts.length ? Float64Array.from(known.flatMap((part) => [...part])) : undefined;
  }

  /**
   * The product of tensors, which may be products themselves, at inference: one number per channel, or one for all.
   * Undefined if a part of it is unknown.
   */
  productOf(factors: readonly TensorRef[]): Float64Array | undefined {
    let product: Float64Array = Float64Array.of(1);
    const queue = [...factors];
    for (const factor of queue) {
      if (queue.length > MAX_FACTORS) return undefined;
      const source = sourceOf(this.#graph, factor, forwards);
      const constant = this.#replaced.get(refText(factor)) ?? this.#replaced.get(refText(source));
      const numbers = constant === undefined ? this.numbersAt(factor) : Float64Array.of(constant);
      const node = this.#graph.find(source.node);
      if (!numbers && node && isProduct(node)) queue.push(...node.inputs);
      else {
        const next = numbers && multiplied(product, numbers);
        if (!next) return undefined;
        product = next;
      }
    }
    return product;
  }

  /** Whether a tensor is the value of a variable or a constant with a number per channel, or is joined from such parts. */
  isStored(ref: TensorRef): boolean {
    return this.at(ref) !== undefined || this.#partsOf(ref).some((part) => this.at(part) !== undefined);
  }

  /** The name of the variable or the constant that a tensor is, or of the node that joins its parts. */
  nameAt(ref: TensorRef | undefined): string | undefined {
    if (!ref || !this.isStored(ref)) return undefined;
    const stored = this.at(ref);
    return stored ? nameOf(stored) : this.#sourceOf(ref)?.name;
  }

  /** The same of the first factor of a product that has one. */
  nameIn(factors: readonly TensorRef[]): string | undefined {
    const queue = [...factors];
    for (const factor of queue) {
      const name = this.nameAt(factor);
      if (name !== undefined) return name;
      const node = this.#sourceOf(factor);
      if (node && isProduct(node) && queue.length < MAX_FACTORS) queue.push(...node.inputs);
    }
    return undefined;
  }

  #sourceOf(ref: TensorRef): Node | undefined {
    return this.#graph.find(sourceOf(this.#graph, ref, forwards).node);
  }

  /** The parts of a partitioned variable. */
  #partsOf(ref: TensorRef): readonly TensorRef[] {
    const node = this.#sourceOf(ref);
    return node && isConcat(node) ? concatenation(node).parts : [];
  }
}

function multiplied(a: Float64Array, b: Float64Array): Float64Array | undefined {
  if (a.length !== b.length && a.length !== 1 && b.length !== 1) return undefined;
  const [longer, shorter] = a.length >= b.length ? [a, b] : [b, a];
  return longer.map((value, i) => value * shorter[shorter.length === 1 ? 0 : i]!);
}

/** Values that are missing, or are no numbers, are a part of the finding. */
const MISSING: ReadonlySet<string> = new Set(['statistics', 'unsupported']);

/** The node that holds a stored value. */
export function nameOf(stored: Stored): string {
  return stored.kind === 'constant' ? stored.node : stored.variable.node;
}
