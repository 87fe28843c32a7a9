import type { Graph } from '../../graph/graph.js';
import type { Node, TensorRef } from '../../graph/node.js';
import { NodeSet } from '../../graph/node_set.js';
import { isInteger } from '../../graph/rounding.js';
import { numberTensor } from '../../graph/tensor.js';
import { topologicalOrder } from '../../graph/walk.js';
import { Frames } from '../../ops/frames.js';
import { anyOf, isShapeQuery } from '../../ops/meaning.js';
import { outputCount, outputType } from '../../ops/registry.js';
import type { ConstantExpression } from './constant_expressions.js';
import { Shapes } from './shapes.js';

/** Larger values are not shapes. */
const MAX_ELEMENTS = 1024;
/** Ops with more outputs are not evaluated. */
const MAX_OUTPUTS = 256;

const isExact = anyOf('exact_integers', 'exact', 'identity');
const isConstant = anyOf('constant');
/** What runs only if a branch is taken, or in each iteration of a loop. */
const isConditional = anyOf('switch', 'enter');
const isExit = anyOf('exit');

/**
 * Integers that follow from static shapes: what Shape outputs, and what is picked from a shape that is known in part. Ops that
 * only read these, and constants, are left to {@link findConstantExpressions}. In branches and loops nothing is found: a
 * constant has a value even where a branch is not taken.
 */
export function findStaticValues(graph: Graph): ConstantExpression[] {
  const shapes = new Shapes(graph, 'shapes');
  const conditional = conditionalNodes(graph);
  const derived = new NodeSet(graph);
  const found: ConstantExpression[] = [];
  for (const node of topologicalOrder(graph)) {
    if (conditional.has(node) || node.controls.length > 0 || !isDerived(graph, node, derived)) continue;
    const ports = integerPorts(node);
    if (!ports) continue;
    derived.add(node);
    if (!isShapeQuery(node) && node.inputs.every((input) => wholeValue(shapes, input))) continue;
    for (const ref of ports) {
      const value = wholeValue(shapes, ref);
      if (value) found.push({ ref, tensor: numberTensor(outputType(node, ref.port)!, value.shape, value.values) });
    }
  }
  return found;
}

/** The value of a tensor if all of it is known. */
function wholeValue(shapes: Shapes, ref: TensorRef) {
  const value = shapes.value(ref);
  return value && value.values.length <= MAX_ELEMENTS && !value.values.some(Number.isNaN) ? value : undefined;
}

/** Whether a node reads the shape of something, or computes exactly with what such nodes output. */
function isDerived(graph: Graph, node: Node, derived: NodeSet): boolean {
  if (isShapeQuery(node)) return true;
  const inputs = graph.inputNodes(node);
  const isFromShape = inputs.some((input) => input && derived.has(input));
  return isFromShape && isExact(node) && inputs.every((input) => input && (derived.has(input) || isConstant(input)));
}

/** The outputs of a node if all are integers. */
function integerPorts(node: Node): TensorRef[] | undefined {
  const count = outputCount(node);
  if (!count || count > MAX_OUTPUTS) return undefined;
  const refs = Array.from({ length: count }, (_, port) => ({ node: node.name, port }));
  return refs.every(({ port }) => isInteger(outputType(node, port))) ? refs : undefined;
}

/** Nodes in loops, and everything that depends on a branch. */
function conditionalNodes(graph: Graph): NodeSet {
  const frames = new Frames(graph);
  const found = new NodeSet(graph);
  // What leaves all loops runs always, unless the graph has branches.
  const isBranched = [...graph.nodes()].some((node) => isSwitchOutside(frames, node));
  for (const node of topologicalOrder(graph)) {
    const isOutside = isExit(node) && !isBranched && frames.of(node.name).length === 0;
    if (isOutside) continue;
    if (isConditional(node) || graph.inputNodes(node).some((input) => input && found.has(input))) found.add(node);
  }
  return found;
}

const isSwitch = anyOf('switch');

function isSwitchOutside(frames: Frames, node: Node): boolean {
  return isSwitch(node) && frames.of(node.name).length === 0;
}
