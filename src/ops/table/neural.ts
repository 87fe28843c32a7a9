import { averagePool, maximumPool, mean } from '../channel_rules/windows.js';
import { batchMatMul, matMul, reduction } from '../shape_rules/axes.js';
import {
  notBatchMultiplied,
  notConvolved,
  notDepthwise,
  notMultiplied,
  notNormalized,
  notPooled,
  notTransposed,
} from '../shape_rules/conflicts.js';
import { same } from '../shape_rules/elementwise.js';
import {
  batchNorm,
  convolution,
  depthwise,
  pool,
  poolWithArgmax,
  transposedConvolution,
} from '../shape_rules/windows.js';
import { multiplied } from '../value_rules.js';
import { type OpRow, row } from './row.js';

/** Layers, reductions and normalisations (nn_ops.cc, math_ops.cc). */
export const NEURAL_OPS: readonly OpRow[] = [
  row('Conv2D Conv3D', 'convolution weighted', { shape: convolution, conflict: notConvolved }),
  row('DepthwiseConv2dNative', 'depthwise_convolution weighted', { shape: depthwise, conflict: notDepthwise }),
  row('Conv2DBackpropInput Conv3DBackpropInputV2', 'transposed_convolution weighted', {
    shape: transposedConvolution,
    conflict: notTransposed,
  }),
  // The output shape of these two is the shape of input 0, not its value.
  row('Conv3DBackpropInput Conv2DBackpropInputV2', 'transposed_convolution weighted', { shape: same }),
  row('DepthwiseConv2dNativeBackpropInput', 'weighted', { shape: transposedConvolution }),
  row('Conv Dilation2D FusedPadConv2D FusedResizeAndPadConv2D', 'weighted'),
  row('_FusedConv2D _FusedConv3D _FusedDepthwiseConv2dNative _FusedMatMul', 'weighted'),
  row('MatMul', 'matmul weighted', { shape: matMul, conflict: notMultiplied }),
  row('BatchMatMul BatchMatMulV2 BatchMatMulV3', 'matmul weighted', {
    shape: batchMatMul,
    conflict: notBatchMultiplied,
  }),
  row('Einsum SparseTensorDenseMatMul SparseMatMul', 'weighted'),
  row('LSTMBlockCell GRUBlockCell BlockLSTM BlockLSTMV2 CudnnRNN CudnnRNNV2 CudnnRNNV3', 'weighted'),
  row('MaxPool MaxPool3D', 'pool', { shape: pool, conflict: notPooled, channels: maximumPool }),
  row('AvgPool AvgPool3D', 'pool', { shape: pool, conflict: notPooled, channels: averagePool }),
  row('MaxPoolV2', 'pool', { shape: pool, conflict: notPooled, channels: maximumPool }),
  row('MaxPoolWithArgmax', 'pool', { shape: poolWithArgmax, conflict: notPooled }),
  row('FractionalMaxPool FractionalAvgPool', 'pool random'),
  row('Mean', 'reduction average mean', { shape: reduction, channels: mean }),
  row('Sum', 'reduction average', { shape: reduction }),
  row('Max Min', 'reduction selection', { shape: reduction }),
  row('Prod', 'reduction exact_integers', { shape: reduction, value: multiplied }),
  row('EuclideanNorm', 'reduction', { shape: reduction }),
  row('All Any', '', { shape: reduction }),
  row('FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3', 'fused_batch_norm', {
    shape: batchNorm,
    conflict: notNormalized,
  }),
  row('FusedBatchNormGrad FusedBatchNormGradV2 FusedBatchNormGradV3', 'fused_batch_norm_gradient gradient'),
  row('_FusedBatchNormEx', 'fused_batch_norm_activation'),
  row('BatchNormWithGlobalNormalization _BatchNormWithGlobalNormalization', 'global_batch_norm', { shape: same }),
  row('FakeQuantWithMinMaxVars FakeQuantWithMinMaxVarsPerChannel FakeQuantWithMinMaxArgs', 'fake_quantize', {
    shape: same,
  }),
];
