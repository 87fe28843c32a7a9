import type { ResolvedBranches } from '../analysis/training/resolved_branches.js';
import { attr } from '../graph/attrs.js';
import { DataType } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import { type Node, refText, type TensorRef } from '../graph/node.js';
import { NodeSet } from '../graph/node_set.js';
import { numberTensor } from '../graph/tensor.js';
import { isMerge } from '../ops/meaning.js';
import { outputType } from '../ops/registry.js';
import type { Outcome } from './outcome.js';
import type { BranchPlan, Pass } from './pass.js';

/**
 * Keeps the branch that a known condition selects, and removes the other.
 *
 *     given:   s = Switch(x, false), a = Relu(s), b = Tanh(s:1), y = Merge(a, b)[N=2]
 *     result:  a = Relu(x), y = Identity(a)
 *
 *     given:   y = Select(false, a, b)      result:  y = Identity(b)
 *
 * The same where a flag is a factor or an index: `0 * a + 1 * b` becomes `b`.
 *
 * Assumes: conditions of loops are not constant. A Switch with an unknown condition stays, with its Merge.
 */
export const foldBranches: Pass<BranchPlan> = {
  name: 'fold_branches',
  run({ graph, outputs, branches }) {
    const named = new Set(outputs.map((ref) => ref.node));
    const outcomes: Outcome[] = [];
    // What consumers of bypassed tensors read by now.
    const bypassed = new Map<string, TensorRef>();
    for (const { node: name, port, to, input, isJoin, feedsOutput } of branches.resolved) {
      const node = graph.get(name);
      const { op } = node;
      const taken = bypassed.get(refText(to)) ?? to;
      bypassed.set(refText({ node: name, port }), taken);
      if (isMerge(node)) writeValueIndex(graph, node, input!);
      if (isJoin && named.has(name)) becomeIdentity(graph, node, taken);
      else graph.replaceUses({ node: name, port }, taken);
      // Control edges from a Switch itself no longer say that a branch is taken.
      const isPivot = !isJoin && !named.has(name) && graph.controlConsumers(name).length > 0;
      if (isPivot) becomeIdentity(graph, node, taken);
      if (!isJoin || !feedsOutput) continue;
      outcomes.push(
        input === undefined ? { kind: 'simplified', node: name, op } : { kind: 'branch', node: name, op, input },
      );
    }
    removeDead(graph, branches);
    return { outcomes };
  },
};

/** Replaces the second output of a Merge: the index of the input it takes. */
function writeValueIndex(graph: Graph, node: Node, index: number): void {
  if (!graph.usedPorts(node.name).includes(1)) return;
  const name = graph.freeName(`${node.name}/value_index`);
  const tensor = numberTensor(DataType.DT_INT32, [], [index]);
  graph.add({ name, op: 'Const', tensor, attr: { dtype: attr.type(DataType.DT_INT32) } });
  graph.replaceUses({ node: node.name, port: 1 }, { node: name, port: 0 });
}

/** Removes nodes on branches that are never taken: nothing that runs needs them. */
function removeDead(graph: Graph, { isDead, isDeadNode }: ResolvedBranches): void {
  const alive = new NodeSet(graph);
  for (const node of graph.nodes()) {
    if (isDeadNode(node)) continue;
    alive.add(node);
    // A Merge that TensorFlow made of an If waits for both branches.
    const controls = node.controls.filter((name) => !isDeadNode(graph.get(name)));
    if (controls.length < node.controls.length) graph.setControls(node, controls);
    const inputs = node.inputs.filter((ref) => !isDead(ref));
    if (inputs.length === node.inputs.length) continue;
    graph.setInputs(node, inputs);
    if (node.attr.N) graph.setAttr(node, 'N', attr.int(inputs.length));
  }
  graph.retain(alive);
}

/** Makes a node output another tensor under its own name. */
function becomeIdentity(graph: Graph, node: Node, to: TensorRef): void {
  const dtype = outputType(node, 0);
  graph.replace(node, { op: 'Identity', inputs: [to], attr: dtype === undefined ? {} : { T: attr.type(dtype) } });
}
