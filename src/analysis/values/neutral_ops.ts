import { attrType } from '../../graph/attrs.js';
import type { Graph } from '../../graph/graph.js';
import type { Node, TensorRef } from '../../graph/node.js';
import { isInteger } from '../../graph/rounding.js';
import { anyOf, sameAs } from '../../ops/meaning.js';
import { constantValue } from './constants.js';
import { Shapes } from './shapes.js';

/** An op whose result is one of its inputs. */
export interface NeutralOp {
  readonly node: string;
  /** Index of that input. */
  readonly input: number;
}

const isProduct = sameAs('Mul');
const isQuotient = sameAs('RealDiv');
const isSum = sameAs('Add');
const isDifference = sameAs('Sub');
const isConstant = anyOf('constant');

/**
 * Multiplications by constants that are exactly one everywhere, and additions of zero, that do not broadcast their other
 * operand. As in TensorFlow's own optimizer, -0 + 0 may become -0.
 */
export function findNeutralOps(graph: Graph, isKept: (name: string) => boolean): NeutralOp[] {
  const shapes = new Shapes(graph);
  const found: NeutralOp[] = [];
  for (const node of graph.nodes()) {
    const input = node.inputs.length === 2 ? neutralInput(graph, shapes, node) : undefined;
    if (input !== undefined && !isKept(node.name)) found.push({ node: node.name, input });
  }
  return found;
}

/** The input that a node outputs unchanged. */
function neutralInput(graph: Graph, shapes: Shapes, node: Node): number | undefined {
  const neutral = isProduct(node) || isQuotient(node) ? 1 : isSum(node) || isDifference(node) ? 0 : undefined;
  // Of sizes, little would be gained, and OpenCV recognises transposed convolutions by all ops that compute their size.
  if (neutral === undefined || isInteger(attrType(node, 'T'))) return undefined;
  const operands = isProduct(node) || isSum(node) ? [1, 0] : [1];
  const at = operands.find((index) => isConstant(graph.inputNode(node, index)));
  if (at === undefined || isConstant(graph.inputNode(node, 1 - at))) return undefined;
  const value = constantValue(graph, node.inputs[at]!);
  if (!value?.values.every((x) => x === neutral)) return undefined;
  return keepsShape(value.shape, shapes, node.inputs[1 - at]!) ? 1 - at : undefined;
}

/** Whether a tensor has at least the shape that a constant is broadcast to. */
function keepsShape(constant: readonly number[], shapes: Shapes, ref: TensorRef): boolean {
  if (constant.length === 0) return true;
  const shape = shapes.of(ref);
  if (!shape || shape.length < constant.length) return false;
  return constant.every((size, i) => size === 1 || size === shape[shape.length - constant.length + i]);
}
