import { single } from '../shape_rules/elementwise.js';
import { type OpRow, row } from './row.js';

/** Ops for training only (nn_ops.cc, ctc_ops.cc, logging_ops.cc); see also families.ts. */
export const TRAINING_OPS: readonly OpRow[] = [
  row('SoftmaxCrossEntropyWithLogits SparseSoftmaxCrossEntropyWithLogits', 'loss'),
  row('L2Loss', 'loss', { shape: single }),
  row('CTCLoss CTCLossV2', 'loss'),
  row('InTopK InTopKV2', 'metric'),
  row('BroadcastGradientArgs', 'gradient'),
  row('Assert', 'assertion effect'),
  row('PrintV2', 'effect'),
];
