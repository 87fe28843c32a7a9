import type { Node, TensorRef } from '../graph/node.js';

/** The inputs of a Concat or ConcatV2: the tensors, and the dimension along which they are concatenated. */
export function concatenation({ op, inputs }: Node): {
  readonly parts: readonly TensorRef[];
  readonly axis: TensorRef | undefined;
} {
  return op === 'Concat'
    ? { parts: inputs.slice(1), axis: inputs[0] }
    : { parts: inputs.slice(0, -1), axis: inputs.at(-1) };
}
