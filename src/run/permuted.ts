import { elementCount } from '../graph/tensor.js';

/**
 * The elements of a tensor with its axes in another order.
 * @param data - row-major
 * @param order - which axis each axis of the result is
 */
export function permuted(shape: readonly number[], data: ArrayLike<number>, order: readonly number[]): Float64Array {
  const strides = shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
  const index = order.map(() => 0);
  return new Float64Array(elementCount(shape)).map(() => {
    const at = order.reduce((sum, axis, i) => sum + index[i]! * strides[axis]!, 0);
    for (let i = order.length - 1; i >= 0; i--) {
      if (++index[i]! < shape[order[i]!]!) break;
      index[i] = 0;
    }
    return data[at]!;
  });
}
