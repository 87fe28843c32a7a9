import { ConstantEvaluator, zip } from '../analysis/values/vectors.js';
import { attrString } from '../graph/attrs.js';
import { DataType } from '../graph/dtype.js';
import { Graph } from '../graph/graph.js';
import { type NodeSpec, sameRef, type TensorRef } from '../graph/node.js';
import { numberTensor } from '../graph/tensor.js';
import { descendants } from '../graph/walk.js';
import { anyOf } from '../ops/meaning.js';
import type { Affine } from './affine.js';
import type { Layer } from './layers.js';

const isBias = anyOf('bias');
const moves = anyOf('reshape');

/** More ops than this are not one batch norm. */
const MAX_OPS = 100;
/** Two numbers determine the function; the third one checks that it is affine. */
const PROBES = [0, 1, -3] as const;

/**
 * What an unfused batch norm computes: the function of its ops, in double precision, without running them.
 * @param graph - with constants in place of batch statistics
 * @returns undefined if it is not affine in x, or computes its parameters by other ops than arithmetic
 */
export function unfusedFormula(graph: Graph, { x, y }: Pick<Layer, 'x' | 'y'>): Affine | undefined {
  const nodes = nodesBetween(graph, x, y);
  const [zero, one, other] = nodes ? PROBES.map((number) => outputFor(nodes, x, number, y)) : [];
  if (!zero || !one || !other) return undefined;
  const scale = zip(one, zero, (a, b) => a - b);
  const expected = scale && zip(scale, zero, (a, b) => PROBES[2] * a + b);
  const errors = expected && zip(expected, other, (a, b) => Math.abs(a - b) / Math.max(1, Math.abs(a), Math.abs(b)));
  return scale && errors?.values.every((error) => error < 1e-9) ? { scale, shift: zero } : undefined;
}

/** The nodes that compute y, back to x and to constants; undefined if there are too many. */
function nodesBetween(graph: Graph, x: TensorRef, y: TensorRef): NodeSpec[] | undefined {
  const found = new Set([y.node]);
  const nodes: NodeSpec[] = [];
  for (const name of found) {
    const node = graph.find(name);
    if (!node || found.size > MAX_OPS) return undefined;
    const isLast = !attrString(node, 'data_format')?.startsWith('NC');
    nodes.push(isBias(node) && isLast ? { name, op: 'Add', inputs: node.inputs, attr: node.attr } : node);
    for (const ref of node.inputs) if (!sameRef(ref, x)) found.add(ref.node);
  }
  return nodes;
}

/** The value of y where x is a number; undefined if an op moves elements of x, or is not arithmetic. */
function outputFor(nodes: readonly NodeSpec[], x: TensorRef, number: number, y: TensorRef) {
  const graph = new Graph(nodes);
  const name = graph.freeName('x');
  graph.add({ name, op: 'Const', tensor: numberTensor(DataType.DT_DOUBLE, [], [number]) });
  for (const node of [...graph.nodes()]) {
    for (const [index, ref] of node.inputs.entries()) {
      if (sameRef(ref, x)) graph.setInput(node, index, { node: name, port: 0 });
    }
  }
  return [...descendants(graph, [name])].some(moves) ? undefined : new ConstantEvaluator(graph).vector(y);
}
