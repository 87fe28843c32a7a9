import { constantInts } from '../analysis/values/constants.js';
import { type Shape, Shapes } from '../analysis/values/shapes.js';
import { attrInt } from '../graph/attrs.js';
import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/node.js';
import { isShapeQuery } from '../ops/meaning.js';
import type { Outcome } from './outcome.js';
import type { Pass, PreparePlan } from './pass.js';

/**
 * Writes slices that only take axes of size 1 away as what they are, so that the analysis sees the same tensor.
 *
 *     given:   m = Placeholder[shape=[1, 8]], y = StridedSlice(m, [0], [1], [1])[shrink_axis_mask=1]
 *     result:  m = Placeholder[shape=[1, 8]], y = Squeeze(m)[squeeze_dims=[0]]
 *
 * Assumes: nothing; a slice of an axis whose size is not known to be 1 stays.
 */
export const squeezeSlices: Pass<PreparePlan> = {
  name: 'squeeze_slices',
  run({ graph }) {
    const slices = [...graph.nodes()].filter(
      (node) => node.op === 'StridedSlice' && !isShapeQuery(graph.inputNode(node, 0)),
    );
    if (slices.length === 0) return { outcomes: [] };
    const shapes = new Shapes(graph);
    const outcomes: Outcome[] = [];
    for (const node of slices) {
      const { op } = node;
      const axes = unitAxes(graph, node, shapes.of(node.inputs[0]!));
      if (!axes || axes.length === 0) continue;
      graph.replace(node, {
        op: 'Squeeze',
        inputs: node.inputs.slice(0, 1),
        controls: node.controls,
        attr: { ...(node.attr.T && { T: node.attr.T }), squeeze_dims: { list: { i: axes } } },
      });
      outcomes.push({ kind: 'simplified', node: node.name, op });
    }
    return { outcomes };
  },
};

/** The axes of size 1 that a slice takes away, where it does nothing else. */
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
