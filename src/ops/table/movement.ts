import { type OpRow, row } from './row.js';

/** Ops that hand values on, or put them elsewhere (array_ops.cc, data_flow_ops.cc). */
export const MOVEMENT_OPS: readonly OpRow[] = [
  row('Identity RefIdentity Snapshot CheckNumerics CheckNumericsV2 EnsureShape GuaranteeConst Print', 'identity'),
  row('DebugIdentity DebugIdentityV2 DebugIdentityV3 DebugGradientIdentity DebugGradientRefIdentity', 'identity'),
  row('Copy CopyHost DeepCopy', 'identity'),
  row('StopGradient PreventGradient', 'identity gradient_barrier'),
  row('Cast', 'cast'),
  row('Reshape Squeeze ExpandDims', 'reshape'),
  row('BroadcastTo', 'broadcast'),
  row('Transpose ConjugateTranspose', 'transpose'),
  row('Concat ConcatV2', 'concat'),
  row('Pack ParallelConcat', ''),
  row('Pad PadV2 MirrorPad', 'pad'),
  row('Slice', 'slice'),
  row('StridedSlice', 'slice'),
  row('Split SplitV Unpack', ''),
  row('Tile Reverse ReverseV2', ''),
  row('Gather GatherV2 GatherNd', 'gather'),
  row('BatchToSpaceND SpaceToBatchND DepthToSpace SpaceToDepth BatchToSpace SpaceToBatch', ''),
  row('ResizeBilinear ResizeNearestNeighbor ResizeBicubic ResizeArea', 'resize'),
  row('Const', 'constant'),
  row('Fill', 'fill'),
  row('Range', 'range'),
  row('Shape ShapeN Size Rank', 'shape_query'),
  row('TopK TopKV2 ArgMax ArgMin', ''),
  row('IdentityN', ''),
];
