// Names, ops and texts that tend to break programs that read them.

const HOSTILE_NAMES = [
  'constructor',
  '__proto__',
  'prototype',
  'toString',
  'hasOwnProperty',
  'valueOf',
  '__defineGetter__',
  'then',
  'length',
  '',
  '^',
  '^x',
  ':',
  'a:0',
  'a:1:2',
  'a:-1',
  'a:99999999999999999999',
  '/',
  '//',
  'x/',
  '/x',
  '.',
  '..',
  '../x',
  '-',
  '--force',
  '\x1b[2J\x1b]0;title\x07',
  'two\nFORGED line',
  'cr\rFORGED',
  '\x00',
  '\x9b31m',
  '\u202eFORGED',
  '\u200b',
  '\ud83d\ude00',
  '\u00e9',
  'a b',
  "it's",
  '"quoted"',
  '$(x)',
  '`x`',
  '%s',
  '*',
  '?',
  '[a-',
  '(a+)+$',
  '{',
  '\\',
  'NaN',
  'null',
  'undefined',
  '0',
  '1e999',
];

export function hostileName(random) {
  if (random.chance(0.03))
    return random.pick(['x', 'a/', '\ud83d\ude00', '*']).repeat(random.pick([200, 5000, 100_000]));
  return random.pick(HOSTILE_NAMES);
}

/** Ops with rules of their own: control flow, functions, state, shapes, values, batch norms. */
const OPS = `
  Switch Merge Enter Exit NextIteration LoopCond RefSwitch RefMerge RefEnter RefExit RefIdentity If StatelessIf
  While StatelessWhile Case PartitionedCall StatefulPartitionedCall SymbolicGradient For Const Placeholder
  PlaceholderWithDefault PlaceholderV2 Identity IdentityN NoOp StopGradient Print PrintV2 Assert Variable
  VariableV2 VarHandleOp ReadVariableOp Assign AssignSub AssignAdd AssignVariableOp AssignSubVariableOp
  ScatterUpdate ResourceScatterUpdate ResourceGather IsVariableInitialized TemporaryVariable RestoreV2 Restore
  RestoreSlice SaveV2 MergeV2Checkpoints ShardedFilename FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3
  BatchNormWithGlobalNormalization FusedBatchNormGradV3 _FusedBatchNormEx Mean Sum SquaredDifference Rsqrt Mul
  Sub Add AddV2 RealDiv Pow Neg Square Select SelectV2 Where Conv2D DepthwiseConv2dNative Conv2DBackpropInput
  Conv3D MatMul BatchMatMulV2 BiasAdd Einsum MaxPool AvgPool Relu Pad MirrorPad SpaceToBatchND BatchToSpaceND
  SpaceToDepth DepthToSpace ResizeBilinear Reshape Shape ShapeN Size Rank Range Fill Tile ExpandDims Squeeze
  Transpose ConcatV2 Concat Split SplitV Pack Unpack Slice StridedSlice Gather GatherV2 OneHot ZerosLike OnesLike
  BroadcastTo TopKV2 Cast LogicalAnd LogicalNot Equal Greater LinSpace DynamicStitch InvertPermutation
  ConcatOffset UnravelIndex RandomUniform RandomStandardNormal StatelessRandomUniform Dropout TensorArrayV3
  TensorArrayReadV3 StackV2 QueueDequeueV2 FIFOQueueV2 IteratorGetNext OneShotIterator HashTableV2
  LookupTableFindV2 InitializeTableV2 PyFunc ParseExample TPUReplicate TPUReplicatedInput XlaLaunch
  FakeQuantWithMinMaxVars LRN Softmax L2Loss ApplyGradientDescent AccumulateNV2 AddN CollectiveReduce Bitcast
  EnsureShape PreventGradient CheckNumerics DebugIdentity UnknownCustomOp
`
  .trim()
  .split(/\s+/);

export function hostileOp(random) {
  return random.chance(0.25) ? hostileName(random) : random.pick(OPS);
}
