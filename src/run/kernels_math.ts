import type { Tensor } from '@tensorflow/tfjs-core';
import { BnfixError } from '../errors.js';
import { boolAttr, type Kernel } from './kernel.js';

/** Elementwise, in double precision, rounded once. */
function elementwise(compute: (x: number) => number): Kernel {
  return (tf, { inputs }) => {
    const x = inputs[0]!;
    return tf.tensor(Float32Array.from(x.dataSync(), compute), x.shape, 'float32');
  };
}

/** Rounds half to even, like C's rint. */
function rint(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}

const truncateDiv: Kernel = (tf, { inputs }) => {
  const [a, b] = inputs as [Tensor, Tensor];
  return tf.cast(tf.cast(tf.div(tf.cast(a, 'float32'), tf.cast(b, 'float32')), 'int32'), a.dtype);
};

const truncateMod: Kernel = (tf, { inputs }) => {
  const [a, b] = inputs as [Tensor, Tensor];
  const quotient = tf.cast(tf.cast(tf.div(tf.cast(a, 'float32'), tf.cast(b, 'float32')), 'int32'), a.dtype);
  return tf.sub(a, tf.mul(quotient, b));
};

/** The condition of Select may be a vector that picks whole rows. */
const select: Kernel = (tf, { inputs }) => {
  const [condition, a, b] = inputs as [Tensor, Tensor, Tensor];
  const isRows = condition.rank === 1 && a.rank > 1;
  const shaped = isRows ? tf.reshape(condition, [condition.size, ...new Array<number>(a.rank - 1).fill(1)]) : condition;
  return tf.where(isRows ? tf.broadcastTo(shaped, a.shape) : shaped, a, b);
};

const stringToNumber: Kernel = (tf, { inputs, attrs }) => {
  const x = inputs[0]!;
  const numbers = [...x.dataSync<'string'>()].map((text) => {
    const number = text.trim() === '' ? Number.NaN : Number(text);
    if (Number.isNaN(number) && !/^\s*[+-]?nan\s*$/i.test(text)) {
      throw new BnfixError('usage', `StringToNumber could not read ${JSON.stringify(text)}`);
    }
    return number;
  });
  return tf.tensor(numbers, x.shape, attrs.out_type === 'int32' ? 'int32' : 'float32');
};

const l2Loss: Kernel = (tf, { inputs }) => tf.div(tf.sum(tf.square(inputs[0]!)), 2);

/** The product over some axes: the backend in WebAssembly reads integers as floats. */
const product: Kernel = (tf, call) => {
  const [x, axes] = call.inputs as [Tensor, Tensor];
  const reduced = new Set([...axes.dataSync()].map((axis) => (axis < 0 ? axis + x.rank : axis)));
  const order = [...x.shape.keys()].sort((i, j) => Number(reduced.has(i)) - Number(reduced.has(j)) || i - j);
  const rows = Float64Array.from(tf.transpose(x, order).dataSync());
  const length = x.shape.reduce((count, size, axis) => (reduced.has(axis) ? count * size : count), 1);
  const products = Array.from(
    { length: x.shape.reduce((count, size, axis) => (reduced.has(axis) ? count : count * size), 1) },
    (_, row) => rows.subarray(row * length, (row + 1) * length).reduce((all, factor) => all * factor, 1),
  );
  const keeps = boolAttr(call, 'keep_dims', false);
  const shape = x.shape.flatMap((size, axis) => (reduced.has(axis) ? (keeps ? [1] : []) : [size]));
  return tf.tensor(products, shape, x.dtype);
};

/** A constant that waits for its branch: see gateBranches. */
const gate: Kernel = (tf, { inputs }) => tf.clone(inputs[0]!);

/** Kernels of arithmetic that TensorFlow.js lacks or computes differently, by op. */
export const MATH_KERNELS: Readonly<Record<string, Kernel>> = {
  Gate: gate,
  Rint: elementwise(rint),
  Softsign: elementwise((x) => x / (1 + Math.abs(x))),
  TruncateDiv: truncateDiv,
  TruncateMod: truncateMod,
  Select: select,
  StringToNumber: stringToNumber,
  L2Loss: l2Loss,
  Prod: product,
};
