import { type OpRow, row } from './row.js';

/** Branches, loops and calls (control_flow_ops.cc, functional_ops.cc). */
export const CONTROL_FLOW_OPS: readonly OpRow[] = [
  row('Switch RefSwitch', 'switch'),
  row('Merge RefMerge', 'merge'),
  row('Select SelectV2', 'select', {
    scalar: (condition, a, b) => (Number.isNaN(condition) ? condition! : condition ? a! : b!),
  }),
  row('Enter RefEnter', 'enter'),
  row('Exit RefExit', 'exit'),
  row('NextIteration RefNextIteration', 'next_iteration'),
  row('LoopCond', 'loop_cond'),
  row('PartitionedCall StatefulPartitionedCall', 'call'),
  row('RemoteCall', ''),
  row('If StatelessIf', 'if'),
  row('Case StatelessCase', 'case'),
  row('While StatelessWhile', 'while'),
  row('NoOp', 'no_op effect'),
];
