import { variableValue } from '../analysis/state/checkpoint_value.js';
import type { Variables } from '../analysis/state/variables.js';
import { type Stored, storedAt } from '../analysis/training/stored_statistics.js';
import { ConstantEvaluator } from '../analysis/values/vectors.js';
import { BnfixError } from '../errors.js';
import type { Graph } from '../graph/graph.js';
import type { Checkpoint } from '../graph/model.js';
import type { TensorRef } from '../graph/node.js';
import { elementCount, readNumbers } from '../graph/tensor.js';

/** Larger tensors are weights, not numbers per channel. */
const MAX_CHANNELS = 2 ** 20;

/** Reads what batch norms store per channel: statistics, scale and offset. */
export class StoredValues {
  readonly #graph: Graph;
  readonly #variables: Variables;
  readonly #checkpoint: Checkpoint | undefined;
  readonly #constants: ConstantEvaluator;

  constructor(graph: Graph, variables: Variables, checkpoint: Checkpoint | undefined) {
    this.#graph = graph;
    this.#variables = variables;
    this.#checkpoint = checkpoint;
    this.#constants = new ConstantEvaluator(graph);
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

  /** The numbers of a tensor: of a variable, a constant, or of what is computed from constants. */
  numbersAt(ref: TensorRef | undefined): Float64Array | undefined {
    return this.numbersOf(this.at(ref)) ?? this.#constants.vector(ref)?.values;
  }
}

/** Values that are missing, or are no numbers, are a part of the finding. */
const MISSING: ReadonlySet<string> = new Set(['statistics', 'unsupported']);

/** The node that holds a stored value. */
export function nameOf(stored: Stored): string {
  return stored.kind === 'constant' ? stored.node : stored.variable.node;
}
