import { type OpRow, row } from './row.js';

/** Branches, loops and calls (control_flow_ops.cc, functional_ops.cc). */
export const CONTROL_FLOW_OPS: readonly OpRow[] = [
  row('Switch RefSwitch', 'switch'),
  row('Merge RefMerge', 'merge'),
  row('Select', 'select', { scalar: select }),
  row('SelectV2', 'select', { scalar: select }),
  row('Enter RefEnter', 'enter'),
  row('Exit RefExit', 'exit'),
  row('NextIteration RefNextIteration', 'next_iteration'),
  row('LoopCond', 'loop_cond'),
  row('PartitionedCall StatefulPartitionedCall', 'call'),
  row('RemoteCall', ''),
  row('If StatelessIf', 'if'),
  row('Case StatelessCase', 'case'),
  row('While StatelessWhile', 'while'),
  row('NoOp ControlTrigger', 'no_op effect'),
];

/** Both branches alike decide, too. */
function select(condition?: number, a?: number, b?: number): number {
  if (Number.isNaN(condition)) return a === b ? a! : Number.NaN;
  return condition ? a! : b!;
}
