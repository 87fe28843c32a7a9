import { type Role, rolesOf } from './table/row.js';

/** Op families with common naming rules. Custom ops that follow a rule belong to the family as well. */
const FAMILIES: readonly (readonly [RegExp, readonly Role[]])[] = [
  // Optimizers: ApplyAdam, ResourceApplyAdam, SparseApplyAdagrad, ResourceSparseApplyAdagrad (training_ops.cc).
  [/^(Resource)?(Sparse)?Apply[A-Z]/, rolesOf('update optimizer effect')],
  // Sparse updates of variables; without a variable it is called TensorScatter... or ScatterNd (state_ops.cc).
  [/^(Resource)?Scatter(Nd)?(Add|Sub|Mul|Div|Min|Max|Update)$/, rolesOf('update row_update effect')],
  [/^(Resource)?Scatter(Nd)?Update$/, rolesOf('row_set')],
  [/^(Resource)?Scatter(Nd)?Add$/, rolesOf('row_add')],
  [/^(Resource)?Scatter(Nd)?Sub$/, rolesOf('row_sub')],
  [/^(Resource|Sparse)?Accumulator[A-Z]/, rolesOf('effect')],
  // QueueEnqueueManyV2, QueueClose, QueueSizeV2; dequeue ops have rows in table/inputs.ts.
  [/^Queue(Enqueue|Close|Size|IsClosed)/, rolesOf('effect')],
  // ScalarSummary, WriteHistogramSummary, CreateSummaryFileWriter (logging_ops.cc, summary_ops.cc).
  [/Summary/, rolesOf('summary effect')],
  // ReluGrad, MaxPoolGradV2, FakeQuantWithMinMaxArgsGradient, Conv2DBackpropFilter. (StopGradient has a row.)
  [/Grad(V\d|A|Ex|Boxes|Image|WithArgmax|WithShape)?$|[a-z]Gradient$|BackpropFilter/, rolesOf('gradient')],
  // TensorArrayReadV3 and similar ops: the tensors that a loop of layers collects (data_flow_ops.cc).
  [/^TensorArray/, rolesOf('tensor_array')],
  // HashTableV2, LookupTableFindV2, MutableHashTableOfTensors (lookup_ops.cc).
  [/^(Mutable(Dense)?)?HashTable|^LookupTable/, rolesOf('lookup_table')],
  // QuantizedConv2DWithBiasAndRelu, _MklQuantizedMatMulWithBias (nn_ops.cc, mkl_nn_ops.cc).
  [/^(_Mkl)?Quantized(Conv|DepthwiseConv|MatMul)/, rolesOf('weighted')],
  // TPUExecute, RecvTPUEmbeddingActivations, OutfeedEnqueue, XlaLaunch, _NcclBroadcastRecv, CollectivePermute.
  [
    /^_?TPU|TPUEmbedding|^(Out|In)feed|^_?Xla|^_?Nccl|^CrossReplicaSum$|^AllToAll$|^CollectivePermute$/,
    rolesOf('accelerator'),
  ],
];

/** Roles of an op without a row, by its name. */
export function familyRoles(op: string): readonly Role[] {
  return FAMILIES.flatMap(([name, roles]) => (name.test(op) ? roles : []));
}
