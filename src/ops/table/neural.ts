import { type OpRow, row } from './row.js';

/** Layers, reductions and normalisations (nn_ops.cc, math_ops.cc). */
export const NEURAL_OPS: readonly OpRow[] = [
  row('Conv2D Conv3D', 'convolution weighted'),
  row('DepthwiseConv2dNative', 'depthwise_convolution weighted'),
  row('Conv2DBackpropInput Conv3DBackpropInput Conv3DBackpropInputV2', 'transposed_convolution weighted'),
  row('DepthwiseConv2dNativeBackpropInput', 'weighted'),
  row('Dilation2D', 'weighted'),
  row('MatMul', 'matmul weighted'),
  row('BatchMatMul BatchMatMulV2 BatchMatMulV3', 'matmul weighted'),
  row('SparseTensorDenseMatMul SparseMatMul', 'weighted'),
  row('MaxPool MaxPoolV2 AvgPool MaxPool3D AvgPool3D', 'pool'),
  row('Mean', 'reduction average'),
  row('Sum', 'reduction average'),
  row('Max Min Prod', 'reduction'),
  row('All Any', ''),
  row('FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3', 'fused_batch_norm'),
  row('FusedBatchNormGrad FusedBatchNormGradV2 FusedBatchNormGradV3', 'fused_batch_norm_gradient gradient'),
  row('_FusedBatchNormEx', 'fused_batch_norm_activation'),
  row('BatchNormWithGlobalNormalization _BatchNormWithGlobalNormalization', 'global_batch_norm'),
  row('FakeQuantWithMinMaxVars FakeQuantWithMinMaxVarsPerChannel FakeQuantWithMinMaxArgs', 'fake_quantize'),
];
