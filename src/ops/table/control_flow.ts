import { notSelected } from '../shape_rules/conflicts.js';
import { merged, same, select as selectShape, selectV2, switched } from '../shape_rules/elementwise.js';
import { type OpRow, row } from './row.js';

/** Branches, loops and calls (control_flow_ops.cc, functional_ops.cc). */
export const CONTROL_FLOW_OPS: readonly OpRow[] = [
  row('Switch RefSwitch', 'switch', { shape: switched }),
  row('Merge RefMerge', 'merge', { shape: merged }),
  row('Select', 'select exact', { scalar: select, shape: selectShape, conflict: notSelected }),
  row('SelectV2', 'select exact', { scalar: select, shape: selectV2 }),
  row('Enter RefEnter', 'enter', { shape: same }),
  row('Exit RefExit', 'exit', { shape: same }),
  row('NextIteration RefNextIteration', 'next_iteration', { shape: same }),
  row('LoopCond', 'loop_cond', { shape: same }),
  row('PartitionedCall StatefulPartitionedCall', 'call'),
  row('RemoteCall', ''),
  row('If StatelessIf', 'if'),
  row('Case StatelessCase', 'case'),
  row('While StatelessWhile', 'while'),
  row('NoOp ControlTrigger', 'no_op effect'),
];

/** If both branches are equal, the condition does not matter. */
function select(condition?: number, a?: number, b?: number): number {
  if (Number.isNaN(condition)) return a === b ? a! : Number.NaN;
  return condition ? a! : b!;
}
