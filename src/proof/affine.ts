import { axisOf, type Vector } from '../analysis/values/vectors.js';

/** y = scale * x + shift, per channel or one number for all, in double precision. */
export interface Affine {
  readonly scale: Vector;
  readonly shift: Vector;
}

/** What an affine function computes. */
export interface Evaluation {
  readonly values: Float64Array;
  /** The largest |scale * x| + |shift|: in float32, y may be off by a few times its last bit. */
  readonly magnitude: number;
}

/** Applies a function to each element of x. @param shape - of y @returns undefined if the channels do not fit the shape */
export function applyAffine(
  { scale, shift }: Affine,
  x: ArrayLike<number>,
  shape: readonly number[],
): Evaluation | undefined {
  const [a, b] = [along(scale, shape), along(shift, shape)];
  if (!a || !b) return undefined;
  const values = new Float64Array(x.length);
  let magnitude = 0;
  for (let i = 0; i < x.length; i++) {
    const [product, sum] = [a(i) * x[i]!, b(i)];
    values[i] = product + sum;
    magnitude = Math.max(magnitude, Math.abs(product) + Math.abs(sum));
  }
  return { values, magnitude };
}

/** The number of a vector for each element of a tensor; undefined if it does not fit. */
function along(vector: Vector, shape: readonly number[]): ((index: number) => number) | undefined {
  const axis = axisOf(vector);
  const { values } = vector;
  if (axis === undefined) return () => values[0]!;
  if (shape.at(axis) !== values.length || -axis > shape.length) return undefined;
  const inner = shape.slice(shape.length + axis + 1).reduce((product, size) => product * size, 1);
  return (index) => values[Math.floor(index / inner) % values.length]!;
}
