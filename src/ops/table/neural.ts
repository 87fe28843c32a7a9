import { type OpRow, row } from './row.js';

/** Layers, reductions and normalisations (nn_ops.cc, math_ops.cc). */
export const NEURAL_OPS: readonly OpRow[] = [
  row('Conv2D Conv3D', 'convolution weighted'),
  row('DepthwiseConv2dNative', 'depthwise_convolution weighted'),
  row('Conv2DBackpropInput Conv3DBackpropInputV2', 'transposed_convolution weighted'),
  // Of these two the sizes are not an input, but the shape of one.
  row('Conv3DBackpropInput Conv2DBackpropInputV2', 'transposed_convolution weighted'),
  row('DepthwiseConv2dNativeBackpropInput', 'weighted'),
  row('Conv Dilation2D FusedPadConv2D FusedResizeAndPadConv2D', 'weighted'),
  row('_FusedConv2D _FusedConv3D _FusedDepthwiseConv2dNative _FusedMatMul', 'weighted'),
  row('MatMul', 'matmul weighted'),
  row('BatchMatMul BatchMatMulV2 BatchMatMulV3', 'matmul weighted'),
  row('Einsum SparseTensorDenseMatMul SparseMatMul', 'weighted'),
  row('LSTMBlockCell GRUBlockCell BlockLSTM BlockLSTMV2 CudnnRNN CudnnRNNV2 CudnnRNNV3', 'weighted'),
  row('MaxPool AvgPool MaxPool3D AvgPool3D', 'pool'),
  row('MaxPoolV2', 'pool'),
  row('MaxPoolWithArgmax', 'pool'),
  row('FractionalMaxPool FractionalAvgPool', 'pool'),
  row('Mean', 'reduction average mean'),
  row('Sum', 'reduction average'),
  row('Max Min Prod EuclideanNorm', 'reduction'),
  row('All Any', ''),
  row('FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3', 'fused_batch_norm'),
  row('FusedBatchNormGrad FusedBatchNormGradV2 FusedBatchNormGradV3', 'fused_batch_norm_gradient gradient'),
  row('_FusedBatchNormEx', 'fused_batch_norm_activation'),
  row('BatchNormWithGlobalNormalization _BatchNormWithGlobalNormalization', 'global_batch_norm'),
  row('FakeQuantWithMinMaxVars FakeQuantWithMinMaxVarsPerChannel FakeQuantWithMinMaxArgs', 'fake_quantize'),
];
