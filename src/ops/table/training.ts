import { same, single } from '../shape_rules/elementwise.js';
import { type OpRow, row } from './row.js';

/** Ops for training only (nn_ops.cc, ctc_ops.cc, logging_ops.cc); see also families.ts. */
export const TRAINING_OPS: readonly OpRow[] = [
  row('SoftmaxCrossEntropyWithLogits SparseSoftmaxCrossEntropyWithLogits', 'loss'),
  row('L2Loss', 'loss', { shape: single }),
  row('CTCLoss CTCLossV2', 'loss'),
  row('CTCGreedyDecoder CTCBeamSearchDecoder', 'selection'),
  row('InTopK InTopKV2', 'metric'),
  row('ImageSummary WriteImageSummary AudioSummary AudioSummaryV2 WriteAudioSummary', 'media summary effect'),
  row('BroadcastGradientArgs', 'gradient'),
  // Sums, averages or copies of a tensor over replicas (tpu_cross_replica_ops.cc, nccl_ops.cc, collective_ops.cc; Horovod's are custom).
  row('CrossReplicaSum XlaAllReduce DTensorAllReduce NcclAllReduce NcclBroadcast', 'across_replicas accelerator', {
    shape: same,
  }),
  row('CollectiveReduce CollectiveReduceV2 CollectiveReduceV3', 'across_replicas accelerator', { shape: same }),
  row('HorovodAllreduce HorovodBroadcast', 'across_replicas', { shape: same }),
  row('HorovodSize HorovodLocalSize', 'replica_count', { scalar: () => 1, shape: single }),
  row('Assert', 'assertion effect'),
  row('PrintV2', 'effect'),
];
