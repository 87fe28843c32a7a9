import { type Kernel, numberAttr } from './kernel.js';
import { generator } from './random.js';

/** TensorFlow.js ignores the seed of this op. Without a seed, the numbers differ from run to run, as in TensorFlow. */
const randomUniform: Kernel = (tf, call) => {
  const shape = [...call.inputs[0]!.dataSync()];
  const seed = numberAttr(call, 'seed', 0) || numberAttr(call, 'seed2', 0) || Math.floor(Math.random() * 2 ** 32);
  const next = generator(seed);
  const count = shape.reduce((product, size) => product * size, 1);
  return tf.tensor(Float32Array.from({ length: count }, next), shape, 'float32');
};

/** Kernels of random ops, by op. */
export const RANDOM_KERNELS: Readonly<Record<string, Kernel>> = { RandomUniform: randomUniform };
