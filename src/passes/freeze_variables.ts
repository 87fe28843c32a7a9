import { variableValue } from '../analysis/state/checkpoint_value.js';
import { isVariable } from '../analysis/state/variables.js';
import { BnfixError } from '../errors.js';
import { attr, attrType } from '../graph/attrs.js';
import { DataType } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/node.js';
import { numberTensor } from '../graph/tensor.js';
import { sourceOf } from '../graph/walk.js';
import { anyOf } from '../ops/meaning.js';
import { bypass, isAddedRead } from './edits/added_read.js';
import { ConstantAdder } from './edits/constants.js';
import type { Outcome } from './outcome.js';
import type { Pass } from './pass.js';

/**
 * Replaces every variable by a constant with its value from the checkpoint, and its readers by plain ops.
 *
 *     checkpoint: { w: [[1], [2]] }
 *     given:   w = VarHandleOp[shape=[2, 1]], r = ReadVariableOp(w), y = MatMul(x, r)
 *     result:  w = [[1.0], [2.0]], r = Identity(w), y = MatMul(x, r)
 *
 *     checkpoint: { w: [[1], [2]] }
 *     given:   w = VarHandleOp[shape=[2, 1]], r = ReadVariableOp(w)[_bnfix_added=true], y = MatMul(x, r)
 *     result:  w = [[1.0], [2.0]], y = MatMul(x, w)
 *
 * Assumes: the training ops are gone, and the analysis has checked that all consumers of a variable only read it.
 */
export const freezeVariables: Pass = {
  name: 'freeze_variables',
  run({ graph, variables, checkpoint, outputs }) {
    const outcomes: Outcome[] = [];
    for (const node of [...graph.nodes()]) {
      if (!isVariable(node)) continue;
      const variable = variables.byNode.get(node.name);
      if (!variable) throw new BnfixError('internal', `${node.name} was not analysed`);
      graph.replaceByConst(node, variableValue(variable, checkpoint));
      outcomes.push({ kind: 'variable', node: node.name });
    }
    const constants = new ConstantAdder(graph);
    const named = new Set(outputs.map(({ node }) => node));
    for (const node of [...graph.nodes()]) {
      if (isAddedRead(node) && isRead(node) && !named.has(node.name)) bypass(graph, node);
      else readValue(graph, node, constants);
    }
    return { outcomes };
  },
};

const isRead = anyOf('read');
const asksForShape = anyOf('variable_shape');
const forwardsVariable = anyOf('identity', 'switch', 'enter', 'exit', 'merge', 'next_iteration');

/** Turns an op that takes a variable into one that takes its value. */
function readValue(graph: Graph, node: Node, constants: ConstantAdder): void {
  if (isRead(node)) become(graph, node, 'Identity', { T: typeOf(node, 'dtype') });
  else if (asksForShape(node)) {
    become(graph, node, 'Shape', { T: sourceType(graph, node), out_type: typeOf(node, 'out_type', DataType.DT_INT32) });
  } else if (node.op === 'ResourceGather') gatherValue(graph, node, constants);
  else if (node.op === 'ResourceGatherNd') become(graph, node, 'GatherNd', gatherTypes(node));
  else if (!forwardsVariable(node)) return;
  // RefSwitch becomes Switch, and so on.
  else if (node.op.startsWith('Ref')) become(graph, node, node.op.slice('Ref'.length), node.attr);
  else retype(graph, node);
}

function gatherValue(graph: Graph, node: Node, constants: ConstantAdder): void {
  const axis = constants.add(`${node.name}/axis`, numberTensor(DataType.DT_INT32, [], [0]), node.name);
  graph.replace(node, {
    op: 'GatherV2',
    inputs: [...node.inputs, axis],
    controls: node.controls,
    attr: {
      ...gatherTypes(node),
      Taxis: attr.type(DataType.DT_INT32),
      ...(node.attr.batch_dims && { batch_dims: node.attr.batch_dims }),
    },
  });
}

function gatherTypes(node: Node): Node['attr'] {
  return { Tparams: typeOf(node, 'dtype'), Tindices: typeOf(node, 'Tindices', DataType.DT_INT32) };
}

function become(graph: Graph, node: Node, op: string, attrs: Node['attr']): void {
  graph.replace(node, { op, inputs: node.inputs, controls: node.controls, attr: attrs });
}

function typeOf(node: Node, key: string, otherwise = DataType.DT_FLOAT) {
  return attr.type(attrType(node, key) ?? otherwise);
}

function sourceType(graph: Graph, node: Node) {
  return attr.type(frozenType(graph, node) ?? DataType.DT_FLOAT);
}

/** The dtype of the constant at the start of a chain of handles. */
function frozenType(graph: Graph, node: Node): DataType | undefined {
  const [handle] = node.inputs;
  const at = handle && graph.find(sourceOf(graph, handle, forwardsVariable).node);
  return at?.tensor?.dtype;
}

/** A forwarded handle now carries the value. */
function retype(graph: Graph, node: Node): void {
  if (attrType(node, 'T') !== DataType.DT_RESOURCE) return;
  const dtype = frozenType(graph, node);
  if (dtype !== undefined) graph.setAttr(node, 'T', attr.type(dtype));
}
