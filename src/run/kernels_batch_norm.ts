import type { Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs-core';
import { FUSED_EPSILON } from '../ops/epsilon.js';
import type { Kernel } from './kernel.js';
import { boolAttr, numberAttr, stringAttr } from './kernel.js';
import type { Tfjs } from './tfjs.js';

/** NCHW and NCDHW. */
const isChannelsFirst = (format: string) => format.startsWith('nc');

function toChannelsLast(tf: Tfjs['core'], x: Tensor): Tensor {
  return tf.transpose(x, [0, ...x.shape.slice(2).map((_, i) => i + 2), 1]);
}

function toChannelsFirst(tf: Tfjs['core'], x: Tensor): Tensor {
  return tf.transpose(x, [0, x.rank - 1, ...x.shape.slice(2).map((_, i) => i + 1)]);
}

/** As in TensorFlow's batch_norm_op.h; on rows of channels, whatever the rank. */
function normalize(tf: Tfjs['core'], x: Tensor, mean: Tensor, variance: Tensor, rest: Affine): Tensor {
  const channels = x.shape.at(-1)!;
  const rows = tf.reshape(x, [-1, 1, 1, channels]) as Tensor4D;
  const { offset, scale, epsilon } = rest;
  const y = tf.batchNorm(rows, mean as Tensor1D, variance as Tensor1D, offset as Tensor1D, scale as Tensor1D, epsilon);
  return tf.reshape(y, x.shape);
}

interface Affine {
  readonly offset: Tensor;
  readonly scale: Tensor | undefined;
  readonly epsilon: number;
}

/**
 * FusedBatchNorm, V2, V3 (tensorflow/core/kernels/fused_batch_norm_op.cc). In training mode outputs 1 and 2 are the batch
 * mean and the batch variance by n - 1, mixed into the old ones by exponential_avg_factor; y uses the variance by n.
 */
const fusedBatchNorm: Kernel = (tf, call) => {
  const [x, scale, offset, mean, variance] = call.inputs as [Tensor, Tensor, Tensor, Tensor, Tensor];
  const epsilon = numberAttr(call, 'epsilon', FUSED_EPSILON);
  const channelsFirst = isChannelsFirst(stringAttr(call, 'data_format', 'nhwc'));
  const last = channelsFirst ? toChannelsLast(tf, x) : x;
  const back = (y: Tensor) => (channelsFirst ? toChannelsFirst(tf, y) : y);
  const reserve = tf.zeros([0]);
  if (!boolAttr(call, 'is_training', true)) {
    const y = back(normalize(tf, last, mean, variance, { scale, offset, epsilon }));
    return [y, tf.clone(mean), tf.clone(variance), tf.clone(mean), tf.clone(variance), reserve];
  }
  const channels = last.shape.at(-1)!;
  const count = last.size / channels;
  const batch = tf.moments(tf.reshape(last, [-1, channels]), 0);
  const y = back(normalize(tf, last, batch.mean, batch.variance, { scale, offset, epsilon }));
  const unbiased = tf.mul(batch.variance, count / Math.max(count - 1, 1));
  const factor = numberAttr(call, 'exponential_avg_factor', 1);
  const mixed = (fresh: Tensor, old: Tensor) =>
    factor === 1 ? tf.clone(fresh) : tf.add(tf.mul(old, 1 - factor), tf.mul(fresh, factor));
  return [
    y,
    mixed(batch.mean, mean),
    mixed(unbiased, variance),
    tf.clone(batch.mean),
    tf.clone(batch.variance),
    reserve,
  ];
};

/**
 * FusedBatchNormGrad, V2, V3 at inference, channels last (FusedBatchNormFreezeGrad in fused_batch_norm_op.cc): inputs dy, x,
 * scale, mean, variance; outputs dx, dscale, doffset and two unused ones.
 */
const fusedBatchNormGrad: Kernel = (tf, call) => {
  const [dy, x, scale, mean, variance] = call.inputs as [Tensor, Tensor, Tensor, Tensor, Tensor];
  if (boolAttr(call, 'is_training', true) || isChannelsFirst(stringAttr(call, 'data_format', 'nhwc'))) {
    throw new Error('the gradient of a fused batch norm is supported only at inference and with channels last');
  }
  const root = tf.rsqrt(tf.add(variance, numberAttr(call, 'epsilon', FUSED_EPSILON)));
  const axes = x.shape.slice(1).map((_, axis) => axis);
  const normalized = tf.mul(tf.sub(x, mean), root);
  const gradients = [tf.mul(dy, tf.mul(scale, root)), tf.sum(tf.mul(dy, normalized), axes), tf.sum(dy, axes)];
  return [...gradients, tf.zeros([0]), tf.zeros([0])];
};

/** The op of TensorFlow before 1.0: inputs t, m, v, beta, gamma. */
const globalNormalization: Kernel = (tf, call) => {
  const [x, mean, variance, offset, gamma] = call.inputs as [Tensor, Tensor, Tensor, Tensor, Tensor];
  const scale = boolAttr(call, 'scale_after_normalization', true) ? gamma : undefined;
  return normalize(tf, x, mean, variance, { offset, scale, epsilon: numberAttr(call, 'variance_epsilon', 1e-3) });
};

/** Channels are last, or second if data_format is NCHW, whatever the rank. */
const biasAdd: Kernel = (tf, call) => {
  const [x, bias] = call.inputs as [Tensor, Tensor];
  if (!isChannelsFirst(stringAttr(call, 'data_format', 'nhwc'))) return tf.add(x, bias);
  return tf.add(x, tf.reshape(bias, [bias.size, ...new Array<number>(x.rank - 2).fill(1)]));
};

/** Kernels of batch norms, of their gradients and of BiasAdd, by op. */
export const BATCH_NORM_KERNELS: Readonly<Record<string, Kernel>> = {
  FusedBatchNorm: fusedBatchNorm,
  FusedBatchNormV2: fusedBatchNorm,
  FusedBatchNormV3: fusedBatchNorm,
  FusedBatchNormGrad: fusedBatchNormGrad,
  FusedBatchNormGradV2: fusedBatchNormGrad,
  FusedBatchNormGradV3: fusedBatchNormGrad,
  BatchNormWithGlobalNormalization: globalNormalization,
  BiasAdd: biasAdd,
};
