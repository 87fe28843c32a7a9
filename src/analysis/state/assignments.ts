import type { Graph } from '../../graph/graph.js';
import type { Node, TensorRef } from '../../graph/node.js';
import { hasRole, scalarOf } from '../../ops/meaning.js';
import { constantScalar } from '../values/constants.js';
import { forwardsElement } from '../values/evaluate.js';
import type { Variable, Variables } from './variables.js';

/** What an assignment does with its value: sets the variable to it, adds it or subtracts it. */
export type AssignKind = 'set' | 'add' | 'sub';

/** The kind of an assignment; undefined for other ops, including optimizer and scatter ops, whose value is not an input. */
export function assignKind(node: Node): AssignKind | undefined {
  if (!hasRole(node, 'assign')) return undefined;
  if (hasRole(node, 'assign_set')) return 'set';
  return hasRole(node, 'assign_add') ? 'add' : 'sub';
}

/** The kind of an op that updates a variable or some of its rows; undefined for other ops. */
export function updateKind(node: Node): AssignKind | undefined {
  if (hasRole(node, 'row_set')) return 'set';
  if (hasRole(node, 'row_add')) return 'add';
  return hasRole(node, 'row_sub') ? 'sub' : assignKind(node);
}

/** The value that such an op assigns, adds or subtracts. */
export function updatedValue(update: Node): TensorRef {
  return update.inputs.at(-1)!;
}

/** The new value of a variable with the value `own` after the assignment of `value`. */
export function afterAssignment(kind: AssignKind, own: number, value: number): number {
  if (kind === 'set') return value;
  return kind === 'add' ? own + value : own - value;
}

/** The value that an assignment assigns, adds or subtracts. */
export function assignedValue(assign: Node): TensorRef {
  return assign.inputs[1]!;
}

/** A variable and the ops that assign to it. */
export interface Assignments {
  readonly variable: Variable;
  readonly assigns: readonly Node[];
}

/** The variables that ops of the graph assign to, by node, including those of initialisers and savers. */
export function findAssignments(graph: Graph, variables: Variables): ReadonlyMap<string, Assignments> {
  const found = new Map<string, { variable: Variable; assigns: Node[] }>();
  for (const node of graph.nodes()) {
    const variable = assignKind(node) && node.inputs[1] ? assignedVariable(variables, node) : undefined;
    if (!variable) continue;
    const known = found.get(variable.node);
    if (known) known.assigns.push(node);
    else found.set(variable.node, { variable, assigns: [node] });
  }
  return found;
}

/** The variable that an assignment assigns to. */
export function assignedVariable(variables: Variables, assign: Node): Variable | undefined {
  return assign.inputs[0] && variables.ofHandle(assign.inputs[0]);
}

/** Whether an op is elementwise, or forwards its input. */
export function isElementwise(node: Node): boolean {
  return scalarOf(node.op) !== undefined || forwardsElement(node);
}

/** The inputs of an elementwise op that carry values: only input 0 for ops that change shapes. */
export function operands(node: Node): readonly TensorRef[] {
  return scalarOf(node.op) === undefined ? node.inputs.slice(0, 1) : node.inputs;
}

/** Whether a node counts training steps: an op that adds a constant to a variable, or that variable. */
export function isStepCounter(graph: Graph, node: Node): boolean {
  if (counts(graph, node)) return true;
  return hasRole(node, 'variable') && graph.dataConsumers(node.name).some((consumer) => counts(graph, consumer));
}

function counts(graph: Graph, node: Node): boolean {
  return hasRole(node, 'assign_add') && (constantScalar(graph, node.inputs[1]) ?? 0) > 0;
}
