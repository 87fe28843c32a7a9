import type { Graph } from '../../graph/graph.js';
import type { Node, TensorRef } from '../../graph/node.js';
import { NodeSet } from '../../graph/node_set.js';
import { topologicalOrder } from '../../graph/walk.js';
import { anyOf } from '../../ops/meaning.js';
import {
  type Assignments,
  assignedValue,
  assignedVariable,
  assignKind,
  isElementwise,
  operands,
} from './assignments.js';
import type { Variable, Variables } from './variables.js';

/** Ops that output shapes, or that are fed: not data by themselves. */
const isNoData = anyOf('constant', 'placeholder', 'shape_query', 'replica_count', 'restore');
const isRandom = anyOf('random');

/** Which tensors and variables depend on the net's inputs, not only on constants, shapes and weights. Found in one walk, on first use. */
export class DataTensors {
  readonly #graph: Graph;
  readonly #variables: Variables;
  readonly #activations: NodeSet;
  readonly #assignments: ReadonlyMap<string, Assignments>;
  #found: { readonly nodes: NodeSet; readonly variables: ReadonlySet<string> } | undefined;

  constructor(graph: Graph, variables: Variables, activations: NodeSet, assignments: ReadonlyMap<string, Assignments>) {
    this.#graph = graph;
    this.#variables = variables;
    this.#activations = activations;
    this.#assignments = assignments;
  }

  /** Whether a tensor depends on the net's inputs. */
  has({ node }: TensorRef): boolean {
    this.#found ??= this.#walk();
    return this.#found.nodes.hasNamed(node);
  }

  /** Whether a variable averages data, not only constants. */
  isAveragedBy({ node }: Variable): boolean {
    this.#found ??= this.#walk();
    return this.#found.variables.has(node);
  }

  /** From what is data by itself forwards, through elementwise ops and through the variables that are assigned data. */
  #walk(): { nodes: NodeSet; variables: ReadonlySet<string> } {
    const graph = this.#graph;
    const nodes = new NodeSet(graph);
    const variables = new Set<string>();
    /** The variable that a node is the value of, by node. */
    const valueRead = this.#readVariables();
    const readers = new Map<string, Node[]>();
    const variableOf = (node: Node) =>
      assignKind(node) ? assignedVariable(this.#variables, node) : valueRead.get(node);
    for (const node of graph.nodes()) {
      if (isNoData(node)) continue;
      const variable = variableOf(node);
      if (variable) {
        const list = readers.get(variable.node);
        if (list) list.push(node);
        else readers.set(variable.node, [node]);
      } else if (!isPassing(node) && this.#activations.has(node) && !isRandom(node)) nodes.add(node);
    }
    for (const node of nodes) {
      for (const next of graph.dataConsumers(node.name)) {
        if (assignKind(next) && next.inputs[1] && assignedValue(next).node === node.name) {
          const variable = assignedVariable(this.#variables, next);
          if (variable && this.#assignments.has(variable.node) && !variables.has(variable.node)) {
            variables.add(variable.node);
            for (const reader of readers.get(variable.node) ?? []) nodes.add(reader);
          }
        }
        if (isNoData(next) || !isPassing(next) || variableOf(next)) continue;
        if (operands(next).some((input) => input.node === node.name)) nodes.add(next);
      }
    }
    return { nodes, variables };
  }

  /** The variables whose unchanged value nodes output: {@link Variables.readBy} for all of them. */
  #readVariables(): Map<Node, Variable> {
    const found = new Map<Node, Variable>();
    if (this.#variables.byNode.size === 0) return found;
    for (const node of topologicalOrder(this.#graph)) {
      const own = this.#variables.byNode.get(node.name);
      const isRead = node.op === 'ReadVariableOp';
      const passed = passesValue(node) ? this.#graph.inputNode(node, 0) : undefined;
      const variable = isRead
        ? node.inputs[0] && this.#variables.ofHandle(node.inputs[0])
        : passed
          ? found.get(passed)
          : own?.kind === 'ref'
            ? own
            : undefined;
      if (variable) found.set(node, variable);
    }
    return found;
  }
}

/** Ops that forward a value from input 0, whether or not their branch is taken. */
const passesValue = anyOf('identity', 'switch', 'enter');

/** Whether an op outputs data if one of its operands is data. A Mean computes a statistic. */
function isPassing(node: Node): boolean {
  return isElementwise(node) && node.op !== 'Mean';
}
