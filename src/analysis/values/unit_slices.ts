import { attrInt } from '../../graph/attrs.js';
import type { Graph } from '../../graph/graph.js';
import type { Node } from '../../graph/node.js';
import { isShapeQuery } from '../../ops/meaning.js';
import { constantInts } from './constants.js';
import { type Shape, Shapes } from './shapes.js';

/** A StridedSlice that only removes axes of size 1. */
export interface UnitSlice {
  readonly node: string;
  readonly axes: readonly number[];
}

/** Finds slices that are equivalent to a Squeeze. */
export function findUnitSlices(graph: Graph): UnitSlice[] {
  const shapes = new Shapes(graph);
  const found: UnitSlice[] = [];
  for (const node of graph.nodes()) {
    if (node.op !== 'StridedSlice' || isShapeQuery(graph.inputNode(node, 0))) continue;
    const axes = unitAxes(graph, node, shapes.of(node.inputs[0]!));
    if (axes && axes.length > 0) found.push({ node: node.name, axes });
  }
  return found;
}

/** The axes of size 1 that a slice removes, if it does nothing else. */
function unitAxes(graph: Graph, node: Node, shape: Shape): number[] | undefined {
  const begin = constantInts(graph, node.inputs[1]);
  const strides = constantInts(graph, node.inputs[3]);
  if (!shape || !begin || !strides) return undefined;
  const mask = (name: string) => attrInt(node, name) ?? 0;
  const has = (name: string, axis: number) => (mask(name) >> axis) % 2 === 1;
  if (mask('new_axis_mask') !== 0 || mask('ellipsis_mask') !== 0) return undefined;
  const axes: number[] = [];
  for (const axis of begin.keys()) {
    if (has('shrink_axis_mask', axis)) {
      if (shape[axis] !== 1) return undefined;
      axes.push(axis);
    } else if (!has('begin_mask', axis) || !has('end_mask', axis) || strides[axis] !== 1) return undefined;
  }
  return axes;
}
