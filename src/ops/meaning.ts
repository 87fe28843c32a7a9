import type { ChannelRule } from './channel_rules/rule.js';
import { familyRoles } from './families.js';
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

/** The row of an op; undefined for ops without one, including those that only have the roles of a family. */
export function meaningOf(op: string): OpRow | undefined {
  return rows.get(op);
}

/** The roles of an op: from its row, otherwise from the families that its name belongs to. */
export function rolesOf(op: string): readonly Role[] {
  let roles = known.get(op);
  if (roles === undefined) {
    roles = rows.get(op)?.roles ?? familyRoles(op);
    known.set(op, roles);
  }
  return roles;
}

const known = new Map<string, readonly Role[]>();

/** Whether an op has a role. */
export function hasRole({ op }: HasOp, role: Role): boolean {
  return rolesOf(op).includes(role);
}

/** A test for the op of a node; false for undefined. */
export type OpTest = (node: HasOp | undefined) => boolean;

/** A test for any of the given roles. Create it once, at the top of a file: it caches its result per op. */
export function anyOf(...roles: readonly Role[]): OpTest {
  const answers = new Map<string, boolean>();
  return (node) => {
    if (node === undefined) return false;
    let answer = answers.get(node.op);
    if (answer === undefined) {
      answer = rolesOf(node.op).some((role) => roles.includes(role));
      answers.set(node.op, answer);
    }
    return answer;
  };
}

/** The names of all ops that have a row and any of the given roles, in the order of the table. */
export function opsWith(...roles: readonly Role[]): string[] {
  return [...rows].flatMap(([op, row]) => (row.roles.some((role) => roles.includes(role)) ? [op] : []));
}

/** Sums of more tensors than this are not evaluated. */
export const MAX_ARGUMENTS = 1000;

/** The function that an op applies to one element of each input; undefined if it is not elementwise. */
export function scalarOf(op: string): Scalar | undefined {
  return rows.get(op)?.scalar;
}

/** A test for an op and its equivalents: `sameAs('Add')` is true for AddV2. */
export function sameAs(op: string): OpTest {
  const meaning = rows.get(op);
  return (node) => node !== undefined && (node.op === op || (meaning !== undefined && rows.get(node.op) === meaning));
}

/** How a scale and shift per channel commute with an op; undefined if they do not. */
export function channelRuleOf(op: string): ChannelRule | undefined {
  return rows.get(op)?.channels;
}

/** All ops of the table, by row. */
export function allRows(): readonly OpRow[] {
  return TABLE;
}

/** Ops whose output 0 is their input 0. */
export const isIdentity: OpTest = anyOf('identity');

/** The batch norms of TensorFlow before 1.0, whose statistics are inputs. */
export const isGlobalBatchNorm: OpTest = anyOf('global_batch_norm');

/** Ops that return the shape of a tensor. */
export const isShapeQuery: OpTest = anyOf('shape_query');

/** Ops that depend on the shape of a tensor, never on its values. */
export const readsShape: OpTest = anyOf('shape_query', 'shape_like');

/** Ops that pass their data to one of two branches. */
export const isSwitch: OpTest = anyOf('switch');
/** Ops that output the value of the branch that ran. */
export const isMerge: OpTest = anyOf('merge');
/** Ops that select, by a condition, one of two tensors that are both computed. */
export const isSelect: OpTest = anyOf('select');
