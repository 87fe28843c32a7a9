import * as blocked from '../channel_rules/blocks.js';
import { concat as concatChannels } from '../channel_rules/concat.js';
import * as channels from '../channel_rules/layout.js';
import { pad as padChannels } from '../channel_rules/pad.js';
import { resize as resizeChannels } from '../channel_rules/windows.js';
import {
  argReduction,
  concat,
  concatV2,
  expandDims,
  gather,
  gatherNd,
  gatherV2,
  oneHot,
  pack,
  pad,
  reshape,
  split,
  splitV,
  squeeze,
  tile,
  transpose,
  unpack,
} from '../shape_rules/axes.js';
import {
  notAlike,
  notBlocks,
  notDivided,
  notImages,
  notIndexed,
  notJoined,
  notPadded,
  notPermuted,
  notReshaped,
  notSliced,
  notSplit,
  notSplitBySizes,
  notSqueezed,
  notUnpacked,
} from '../shape_rules/conflicts.js';
import { each, same, single } from '../shape_rules/elementwise.js';
import { slice, stridedSlice } from '../shape_rules/slices.js';
import { constant, counted, givenBy, shapeOf, shapesOf } from '../shape_rules/sources.js';
import { batchToSpace, blocks, resize, spaceToBatch, topK } from '../shape_rules/windows.js';
import * as values from '../value_rules.js';
import { type OpRow, row } from './row.js';

/** Ops that output values unchanged, or move them (array_ops.cc, data_flow_ops.cc). */
export const MOVEMENT_OPS: readonly OpRow[] = [
  row('Identity RefIdentity Snapshot GuaranteeConst', 'identity exact', {
    shape: same,
    channels: channels.elementwise,
  }),
  // These check or print their values; folding would change what they see.
  row('CheckNumerics CheckNumericsV2 EnsureShape Print', 'identity', { shape: same }),
  row('DebugIdentity DebugIdentityV2 DebugIdentityV3', 'identity', { shape: same }),
  row('DebugGradientIdentity DebugGradientRefIdentity', 'identity', { shape: same }),
  row('Copy CopyHost DeepCopy', 'identity', { shape: same }),
  row('StopGradient', 'identity gradient_barrier exact', { shape: same, channels: channels.elementwise }),
  row('PreventGradient', 'identity gradient_barrier exact', {
    shape: same,
    channels: channels.elementwise,
  }),
  // Without a cluster around it.
  row('XlaClusterOutput XlaSharding', 'identity accelerator', { shape: same }),
  row('TPUReplicatedInput', 'replicas accelerator'),
  row('TPUReplicatedOutput', 'replicas accelerator'),
  row('StackV2 Stack MutexV2', 'own_resource'),
  row('OneShotIterator', 'own_resource'),
  row('IdentityN', 'identity_n', { shape: each }),
  row('Cast', 'cast exact', { shape: same }),
  row('Reshape', 'reshape exact', {
    value: values.reshaped,
    shape: reshape,
    conflict: notReshaped,
    channels: channels.reshape,
  }),
  row('Squeeze', 'reshape exact', {
    value: values.squeezed,
    shape: squeeze,
    conflict: notSqueezed,
    channels: channels.reshape,
  }),
  row('ExpandDims', 'reshape exact', { value: values.expanded, shape: expandDims, channels: channels.reshape }),
  row('BroadcastTo', 'broadcast exact', { value: values.broadcastTo, shape: givenBy(1) }),
  row('Transpose', 'transpose exact', {
    value: values.transposed,
    shape: transpose,
    conflict: notPermuted,
    channels: channels.transpose,
  }),
  row('ConjugateTranspose', 'transpose', { shape: transpose, channels: channels.transpose }),
  row('Concat', 'concat exact', {
    value: values.joinedV1,
    shape: concat,
    conflict: notJoined,
    channels: concatChannels,
  }),
  row('ConcatV2', 'concat exact', {
    value: values.joined,
    shape: concatV2,
    conflict: notJoined,
    channels: concatChannels,
  }),
  row('Pack', 'pack exact', { value: values.packed, shape: pack, conflict: notAlike }),
  row('ParallelConcat', ''),
  row('Pad PadV2 MirrorPad', 'pad', { shape: pad, conflict: notPadded, channels: padChannels }),
  row('Slice', 'slice exact', { value: values.slicedBySize, shape: slice, conflict: notSliced }),
  row('StridedSlice', 'slice exact', { value: values.sliced, shape: stridedSlice, conflict: notIndexed }),
  row('Split', 'split exact', { value: values.split, shape: split, conflict: notSplit }),
  row('SplitV', 'split exact', { value: values.splitBySizes, shape: splitV, conflict: notSplitBySizes }),
  row('Unpack', 'unpack exact', { value: values.unpacked, shape: unpack, conflict: notUnpacked }),
  row('Tile', 'tile exact', { value: values.tiled, shape: tile }),
  row('Reverse ReverseV2 ReverseSequence', 'reverse', { shape: same }),
  row('Gather', 'gather exact', { value: values.gathered, shape: gather }),
  row('GatherV2', 'gather exact', { value: values.gatheredAlong, shape: gatherV2 }),
  row('GatherNd', 'gather', { shape: gatherNd }),
  row('ScatterNd', 'scatter', { shape: givenBy(2) }),
  row('ScatterNdNonAliasingAdd TensorScatterAdd TensorScatterSub TensorScatterUpdate', 'scatter', { shape: same }),
  row('TensorScatterMax TensorScatterMin', 'scatter', { shape: same }),
  row('BatchToSpaceND', 'blocks', {
    shape: batchToSpace,
    conflict: notDivided(batchToSpace),
    channels: blocked.batchToSpace,
  }),
  row('SpaceToBatchND', 'blocks', {
    shape: spaceToBatch,
    conflict: notDivided(spaceToBatch),
    channels: blocked.spaceToBatch,
  }),
  row('BatchToSpace', 'blocks', { channels: blocked.batchToSpace }),
  row('SpaceToBatch', 'blocks', { channels: blocked.spaceToBatch }),
  row('DepthToSpace', '', { shape: blocks(true), conflict: notBlocks(true), channels: blocked.depthToSpace }),
  row('SpaceToDepth', '', { shape: blocks(false), conflict: notBlocks(false), channels: blocked.spaceToDepth }),
  row('OneHot', '', { shape: oneHot }),
  row('Roll', 'displacement', { shape: same }),
  row('CropAndResize', 'displacement'),
  row('Cumsum Cumprod', 'cumulative', { shape: same }),
  row('ResizeBilinear ResizeNearestNeighbor ResizeBicubic ResizeArea', 'resize', {
    shape: resize,
    conflict: notImages,
    channels: resizeChannels,
  }),
  row('Const', 'constant', { shape: constant }),
  row('Fill', 'fill exact', { value: values.filled, shape: givenBy(0) }),
  row('Range', 'range exact_integers', { value: values.counted, shape: counted }),
  row('Shape', 'shape_query exact', { shape: shapeOf }),
  row('ShapeN', 'shape_query', { shape: shapesOf }),
  row('Size Rank', 'shape_query exact', { shape: single }),
  row('TopK TopKV2', 'selection', { shape: topK }),
  row('ArgMax ArgMin', 'arg_reduction selection', { shape: argReduction }),
  row('Where', 'dynamic_shape'),
  row(
    'NonMaxSuppression NonMaxSuppressionV2 NonMaxSuppressionV3 NonMaxSuppressionV4 NonMaxSuppressionV5',
    'dynamic_shape',
  ),
];
