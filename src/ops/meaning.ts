import { ARITHMETIC_OPS } from './table/arithmetic.js';
import { CONTROL_FLOW_OPS } from './table/control_flow.js';
import { INPUT_OPS } from './table/inputs.js';
import { MOVEMENT_OPS } from './table/movement.js';
import { NEURAL_OPS } from './table/neural.js';
import { RANDOM_OPS } from './table/random.js';
import type { OpRow, Role, Scalar } from './table/row.js';
import { STATE_OPS } from './table/state.js';
import { TRAINING_OPS } from './table/training.js';

export type { OpRow, Role, Scalar } from './table/row.js';

/** What bnfix knows of ops beyond their registration: one row for ops that mean the same (V1/V2, ref/resource, ...). */
const TABLE: readonly OpRow[] = [
  ...ARITHMETIC_OPS,
  ...MOVEMENT_OPS,
  ...CONTROL_FLOW_OPS,
  ...STATE_OPS,
  ...RANDOM_OPS,
  ...NEURAL_OPS,
  ...INPUT_OPS,
  ...TRAINING_OPS,
];

const rows = new Map<string, OpRow>();
for (const row of TABLE) for (const op of row.ops.split(' ')) rows.set(op, row);

/** Anything that has an op: a node, or a NodeDef of a function. */
interface HasOp {
  readonly op: string;
}

/** The row of an op; undefined for ops that bnfix knows nothing special of. */
export function meaningOf(op: string): OpRow | undefined {
  return rows.get(op);
}

/** Whether an op has a role. */
export function hasRole({ op }: HasOp, role: Role): boolean {
  return rows.get(op)?.roles.includes(role) ?? false;
}

/** A question about the op of a node; the answer for no node is no. */
export type OpTest = (node: HasOp | undefined) => boolean;

/** Tests for any of the given roles. Make it once, at the top of a file: asking is one look-up. */
export function anyOf(...roles: readonly Role[]): OpTest {
  const ops = new Set(opsWith(...roles));
  return (node) => node !== undefined && ops.has(node.op);
}

/** The names of all ops that have any of the given roles, in the order of the table. */
export function opsWith(...roles: readonly Role[]): string[] {
  return [...rows].flatMap(([op, row]) => (row.roles.some((role) => roles.includes(role)) ? [op] : []));
}

/** What an op does to one element of each of its inputs; undefined when it is not elementwise. */
export function scalarOf(op: string): Scalar | undefined {
  return rows.get(op)?.scalar;
}

/** All ops of the table, by row. */
export function allRows(): readonly OpRow[] {
  return TABLE;
}
