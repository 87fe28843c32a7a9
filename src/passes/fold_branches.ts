import { Branches } from '../analysis/training/branches.js';
import { Shapes } from '../analysis/values/shapes.js';
import { attr } from '../graph/attrs.js';
import { DataType } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import type { Node, TensorRef } from '../graph/node.js';
import { NodeSet } from '../graph/node_set.js';
import { numberTensor } from '../graph/tensor.js';
import { topologicalOrder } from '../graph/walk.js';
import { isMerge, isSelect, isSwitch } from '../ops/meaning.js';
import { outputTypes } from '../ops/registry.js';
import type { Outcome } from './outcome.js';
import type { Pass, PreparePlan } from './pass.js';

/**
 * Takes the branch that a known condition takes, and drops the other.
 *
 *     given:   s = Switch(x, false), a = Relu(s), b = Tanh(s:1), y = Merge(a, b)[N=2]
 *     result:  a = Relu(x), y = Identity(a)
 *
 *     given:   y = Select(false, a, b)      result:  y = Identity(b)
 *
 * Assumes: conditions of loops are not constant. A Switch that is not decided stays, with its Merge.
 */
export const foldBranches: Pass<PreparePlan> = {
  name: 'fold_branches',
  run({ graph, outputs }) {
    const order = topologicalOrder(graph);
    const branches = new Branches(graph, new Map(), order);
    const shapes = new Shapes(graph);
    const named = new Set(outputs.map((ref) => ref.node));
    const feeding = branches.needed(outputs);
    const outcomes: Outcome[] = [];
    const resolved = (node: Node, input: number) => {
      if (feeding.has(node)) outcomes.push({ kind: 'branch', node: node.name, op: node.op, input });
    };
    const bypass = (node: Node, port: number, to: TensorRef) => {
      if (named.has(node.name)) becomeIdentity(graph, node, to);
      else graph.replaceUses({ node: node.name, port }, to);
    };
    for (const node of order) {
      if (branches.isDeadNode(node)) continue;
      if (isSwitch(node)) {
        const port = branches.taken(node);
        if (port !== undefined && node.inputs[0]) graph.replaceUses({ node: node.name, port }, node.inputs[0]);
      } else if (isMerge(node)) {
        const alive = node.inputs.flatMap((ref, index) => (branches.isDead(ref) ? [] : [{ ref, index }]));
        if (alive.length !== 1 || node.inputs.length === 1) continue;
        const { index } = alive[0]!;
        // The input may have been bypassed since: read it from the node as it is now.
        if (graph.usedPorts(node.name).includes(1)) {
          const name = graph.freeName(`${node.name}/value_index`);
          const tensor = numberTensor(DataType.DT_INT32, [], [index]);
          graph.add({ name, op: 'Const', tensor, attr: { dtype: attr.type(DataType.DT_INT32) } });
          graph.replaceUses({ node: node.name, port: 1 }, { node: name, port: 0 });
        }
        resolved(node, index);
        bypass(node, 0, node.inputs[index]!);
      } else if (isSelect(node)) {
        const index = branches.selected(node);
        const taken = index && node.inputs[index];
        if (!taken || !keepsShape(shapes, node, index)) continue;
        resolved(node, index);
        bypass(node, 0, taken);
      }
    }
    removeDead(graph, branches);
    return { outcomes };
  },
};

/** Drops what is on branches that are never taken: nothing that runs needs it. */
function removeDead(graph: Graph, branches: Branches): void {
  const alive = new NodeSet(graph);
  for (const node of graph.nodes()) {
    if (branches.isDeadNode(node)) continue;
    alive.add(node);
    const inputs = node.inputs.filter((ref) => !branches.isDead(ref));
    if (inputs.length === node.inputs.length) continue;
    graph.setInputs(node, inputs);
    if (node.attr.N) graph.setAttr(node, 'N', attr.int(inputs.length));
  }
  graph.retain(alive);
}

/** SelectV2 broadcasts: its value is the branch itself only where that has the shape of the result. */
function keepsShape(shapes: Shapes, node: Node, index: number): boolean {
  if (node.op === 'Select') return true;
  const result = shapes.of({ node: node.name, port: 0 });
  const branch = shapes.of(node.inputs[index]!);
  const other = shapes.of(node.inputs[3 - index]!);
  if (result && branch) return result.length === branch.length && result.every((size, i) => size === branch[i]);
  // A condition that is no scalar widens it, too.
  return other?.length === 0 && (shapes.of(node.inputs[0]!)?.length ?? 0) === 0;
}

/** Makes a node output another tensor under its own name. */
function becomeIdentity(graph: Graph, node: Node, to: TensorRef): void {
  const dtype = outputTypes(node)?.[0];
  graph.replace(node, { op: 'Identity', inputs: [to], attr: dtype === undefined ? {} : { T: attr.type(dtype) } });
}
