import { DataType } from '../../graph/dtype.js';
import type { Graph } from '../../graph/graph.js';
import type { Node, TensorRef } from '../../graph/node.js';
import { NodeSet } from '../../graph/node_set.js';
import { sourceOf } from '../../graph/walk.js';
import { anyOf, isSelect } from '../../ops/meaning.js';
import { outputType } from '../../ops/registry.js';
import type { Shapes } from '../values/shapes.js';
import { forwardsValue, isScalarNumber } from './conditions.js';

/** Ops that compute with a flag, or repeat it: what they output depends on it alone, and on constants. */
const derives = anyOf(
  'identity',
  'switch',
  'enter',
  'cast',
  'reshape',
  'tile',
  'broadcast',
  'logic',
  'comparison',
  'add',
  'subtract',
  'multiply',
  'pack',
);
const repeats = anyOf('reshape', 'tile', 'broadcast', 'switch');
const fills = anyOf('fill');
const isConstant = anyOf('constant', 'fill', 'shape_like');
const multiplies = anyOf('multiply');
const isIndexed = anyOf('gather', 'slice');
const isStack = anyOf('pack');

const isPlaceholder = anyOf('placeholder');

/** Placeholders that select tensors by arithmetic, in file order. */
export function factorsOf(graph: Graph, shapes: Shapes, live: NodeSet): string[] {
  const scalars = [...graph.nodes()].filter((node) => isPlaceholder(node) && live.has(node) && isScalarNumber(node));
  const isBool = (node: Node) => outputType(node, 0) === DataType.DT_BOOL;
  return scalars
    .filter((node) => selectsByArithmetic(graph, shapes, live, node, isBool(node)))
    .map((node) => node.name);
}

/**
 * Whether a scalar selects between tensors by other means than a Switch: as a factor (`f * batch + (1 - f) * moving`), as an
 * index into a stack, or repeated in the condition of a Select.
 *
 * @param isBool - a number may be a factor of the model itself: it counts only where it multiplies statistics
 */
function selectsByArithmetic(graph: Graph, shapes: Shapes, live: NodeSet, flag: Node, isBool: boolean): boolean {
  const derived = new NodeSet(graph, [flag]);
  for (const at of derived) {
    for (const node of graph.dataConsumers(at.name)) {
      if (derived.has(node) || !live.has(node)) continue;
      if (dependsOnFlagAlone(graph, node, derived)) derived.add(node);
      else if (selects(graph, shapes, node, derived, isBool)) return true;
    }
  }
  return false;
}

function dependsOnFlagAlone(graph: Graph, node: Node, derived: NodeSet): boolean {
  const inputs = graph.inputNodes(node);
  if (fills(node)) return derived.has(inputs[1]);
  if (repeats(node)) return derived.has(inputs[0]);
  return derives(node) && inputs.every((input) => derived.has(input) || isConstant(input));
}

function selects(graph: Graph, shapes: Shapes, node: Node, derived: NodeSet, isBool: boolean): boolean {
  const inputs = graph.inputNodes(node);
  if (isSelect(node)) return derived.has(inputs[0]);
  if (isIndexed(node))
    return derived.has(inputs[1]) && isStack(graph.find(sourceOf(graph, node.inputs[0]!, forwardsValue).node));
  if (!multiplies(node)) return false;
  const others = node.inputs.filter((_, i) => !derived.has(inputs[i]));
  return others.some((ref) => isBool || isPerChannel(shapes, ref));
}

/** Whether a tensor has one number per channel: statistics, not activations. */
function isPerChannel(shapes: Shapes, ref: TensorRef): boolean {
  const shape = shapes.of(ref);
  if (!shape || shape.some((size) => size < 1)) return false;
  return shape.filter((size) => size > 1).length === 1;
}
