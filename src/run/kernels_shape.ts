import type { Tensor, Tensor5D } from '@tensorflow/tfjs-core';
import type { Kernel } from './kernel.js';
import { numberAttr, numbersAttr, stringAttr } from './kernel.js';

const intsOf = (tensor: Tensor) => Array.from(tensor.dataSync());

/** Rows of the data, grouped by their number in `partitions`. */
const dynamicPartition: Kernel = (tf, call) => {
  const [data, partitions] = call.inputs as [Tensor, Tensor];
  const parts = intsOf(partitions);
  const rows = tf.reshape(data, [parts.length, ...data.shape.slice(partitions.rank)]);
  return Array.from({ length: numberAttr(call, 'num_partitions', 1) }, (_, part) => {
    const indices = parts.flatMap((of, row) => (of === part ? [row] : []));
    return tf.gather(rows, tf.tensor1d(indices, 'int32'));
  });
};

/** N lists of row numbers, then N lists of rows; if several rows have the same number, the last one wins. */
const dynamicStitch: Kernel = (tf, { inputs }) => {
  const n = inputs.length / 2;
  const indices = inputs.slice(0, n);
  const numbers = indices.flatMap(intsOf);
  const rowShape = inputs[n]!.shape.slice(indices[0]!.rank);
  const rows = inputs.slice(n).map((data, i) => tf.reshape(data, [indices[i]!.size, ...rowShape]));
  const from = new Array<number>(Math.max(-1, ...numbers) + 1).fill(0);
  numbers.forEach((to, position) => {
    from[to] = position;
  });
  return tf.gather(tf.concat(rows, 0), tf.tensor1d(from, 'int32'));
};

const invertPermutation: Kernel = (tf, { inputs }) => {
  const order = intsOf(inputs[0]!);
  const inverse = new Int32Array(order.length);
  order.forEach((to, from) => {
    inverse[to] = from;
  });
  return tf.tensor1d(inverse, 'int32');
};

/** NHWC: channels-first nodes were transposed before. */
const spaceToDepth: Kernel = (tf, call) => {
  const x = call.inputs[0]!;
  const size = numberAttr(call, 'block_size', 2);
  const [batch, height, width, depth] = x.shape as [number, number, number, number];
  const blocks = tf.reshape(x, [batch, height / size, size, width / size, size, depth]);
  const gathered = tf.transpose(blocks, [0, 1, 3, 2, 4, 5]);
  return tf.reshape(gathered, [batch, height / size, width / size, size * size * depth]);
};

/** NDHWC: channels-first nodes were transposed before. */
const conv3dTranspose: Kernel = (tf, call) => {
  const [sizes, filter, gradient] = call.inputs as [Tensor, Tensor5D, Tensor5D];
  const three = (key: string): [number, number, number] => {
    const [, depth = 1, height = 1, width = 1] = numbersAttr(call, key);
    return [depth, height, width];
  };
  const shape = intsOf(sizes) as [number, number, number, number, number];
  const padding = stringAttr(call, 'padding', 'valid') === 'same' ? 'same' : 'valid';
  return tf.conv3dTranspose(gradient, filter, shape, three('strides'), padding);
};

/** Kernels of ops that move elements, and of the transposed 3-D convolution, by op. */
export const SHAPE_KERNELS: Readonly<Record<string, Kernel>> = {
  DynamicPartition: dynamicPartition,
  DynamicStitch: dynamicStitch,
  InvertPermutation: invertPermutation,
  SpaceToDepth: spaceToDepth,
  Conv3DBackpropInputV2: conv3dTranspose,
};
