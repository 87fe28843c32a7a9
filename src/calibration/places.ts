import { variableValue } from '../analysis/state/checkpoint_value.js';
import type { Variable, Variables } from '../analysis/state/variables.js';
import { BnfixError } from '../errors.js';
import { isFloat } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import type { Checkpoint, Model } from '../graph/model.js';
import type { TensorRef } from '../graph/node.js';
import { elementCount, numberTensor, readNumbers, type Tensor } from '../graph/tensor.js';
import { sourceOf } from '../graph/walk.js';
import { isIdentity } from '../ops/meaning.js';

/** Where a statistic is stored: under a key of the checkpoint, or in a constant of the graph. */
export interface Place {
  readonly kind: 'checkpoint' | 'constant';
  /** The key, or the name of the constant. */
  readonly key: string;
  /** The node that holds it: the variable, or the constant. */
  readonly node: string;
  readonly dtype: Tensor['dtype'];
  /** Undefined if the graph does not say it. */
  readonly shape: readonly number[] | undefined;
  /** The value that it has; undefined if it has none. */
  readonly value: Tensor | undefined;
}

/** What identifies a place. */
export function placeId({ kind, key }: Place): string {
  return `${kind} ${key}`;
}

/**
 * Where the value of a variable is stored.
 * @throws BnfixError `unsupported` for a part of a variable
 */
export function placeOf(variable: Variable, checkpoint: Checkpoint | undefined): Place {
  const { node, key, dtype, shape } = variable;
  if (variable.row || variable.slice) {
    throw new BnfixError('unsupported', `${node} holds more than the statistics of one batch norm`, {
      where: node,
      why: variable.row ? 'they are one of its rows' : 'they are a part of a partitioned variable',
    });
  }
  if (variable.value) return { kind: 'constant', key: node, node, dtype, shape, value: variable.value };
  return { kind: 'checkpoint', key: key ?? node, node, dtype, shape, value: valueOrNothing(variable, checkpoint) };
}

/** The same for the variable or the constant that a tensor reads; undefined if it is neither. */
export function placeReadBy(
  graph: Graph,
  variables: Variables,
  ref: TensorRef,
  checkpoint: Checkpoint | undefined,
): Place | undefined {
  const variable = variables.readBy(ref);
  if (variable) return placeOf(variable, checkpoint);
  const { name, tensor } = graph.get(sourceOf(graph, ref, isIdentity).node);
  return tensor && constantPlace(name, tensor);
}

/** The place of a constant. */
export function constantPlace(node: string, tensor: Tensor): Place {
  return { kind: 'constant', key: node, node, dtype: tensor.dtype, shape: tensor.shape, value: tensor };
}

function valueOrNothing(variable: Variable, checkpoint: Checkpoint | undefined): Tensor | undefined {
  try {
    return variableValue(variable, checkpoint);
  } catch (error) {
    if (error instanceof BnfixError && error.code === 'statistics') return undefined;
    throw error;
  }
}

/** The tensor that a place takes. @throws BnfixError `statistics` for numbers that its dtype cannot hold */
export function tensorFor({ dtype, shape, node }: Place, numbers: Float64Array): Tensor {
  const known = shape?.every((size) => size >= 0) && elementCount(shape) === numbers.length ? shape : [numbers.length];
  const tensor = numberTensor(dtype, known, numbers);
  if (isFloat(dtype) && readNumbers(tensor).every(Number.isFinite)) return tensor;
  throw new BnfixError('statistics', `the calibrated value of ${node} is too large for its dtype`, { where: node });
}

/** A model in which places have other values: its other weights are those of the original, and are read when they are needed. */
export function withValues(model: Model, values: ReadonlyMap<Place, Tensor>): Model {
  const stored = new Map<string, Tensor>();
  const graph = model.graph.copy();
  for (const [{ kind, key }, tensor] of values) {
    if (kind === 'checkpoint') stored.set(key, tensor);
    else if (graph.has(key)) graph.replaceByConst(graph.get(key), tensor, graph.get(key).controls);
    else throw new BnfixError('unsupported', `${key} is a constant of a function`, { where: key });
  }
  const checkpoint = stored.size > 0 ? new OverlaidCheckpoint(model, stored) : model.checkpoint;
  return { ...model, graph, checkpoint };
}

/** A checkpoint some of whose values are others. */
class OverlaidCheckpoint implements Checkpoint {
  readonly name: string;
  readonly entries: Checkpoint['entries'];
  readonly #base: Checkpoint | undefined;
  readonly #stored: ReadonlyMap<string, Tensor>;

  constructor({ name, checkpoint }: Model, stored: ReadonlyMap<string, Tensor>) {
    this.name = checkpoint?.name ?? name;
    this.entries = new Map([...(checkpoint?.entries ?? []), ...stored]);
    this.#base = checkpoint;
    this.#stored = stored;
  }

  tensor(key: string): Tensor {
    const own = this.#stored.get(key);
    if (own) return own;
    if (this.#base) return this.#base.tensor(key);
    throw new BnfixError('statistics', `no value for ${key}`, { where: key });
  }

  slice(key: string, extents: Parameters<Checkpoint['slice']>[1]): Tensor {
    // What is stored here is never a part of a variable.
    if (this.#base && !this.#stored.has(key)) return this.#base.slice(key, extents);
    throw new BnfixError('internal', `${key} has no parts`, { where: key });
  }
}
