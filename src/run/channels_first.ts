import { type AttrMap, type AttrValue, attr, attrInts, attrString } from '../graph/attrs.js';
import { DataType } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import type { Node, TensorRef } from '../graph/node.js';
import { numberTensor } from '../graph/tensor.js';
import type { OpTest } from '../ops/meaning.js';

/** Inputs in the layout of data_format: images, and shapes of images. */
interface Layout {
  readonly images: readonly number[];
  readonly shapes?: readonly number[];
}

const ONE_IMAGE: Layout = { images: [0] };

/** Image ops whose TensorFlow.js kernel supports only channels last; all have one output. */
const LAYOUTS: ReadonlyMap<string, Layout> = new Map([
  ['Conv2D', ONE_IMAGE],
  ['DepthwiseConv2dNative', ONE_IMAGE],
  ['Conv2DBackpropInput', { images: [2], shapes: [0] }],
  ['Conv3D', ONE_IMAGE],
  ['Conv3DBackpropInputV2', { images: [2], shapes: [0] }],
  ['MaxPool', ONE_IMAGE],
  ['AvgPool', ONE_IMAGE],
  ['MaxPool3D', ONE_IMAGE],
  ['AvgPool3D', ONE_IMAGE],
  ['DepthToSpace', ONE_IMAGE],
  ['SpaceToDepth', ONE_IMAGE],
]);

/** Attrs with one number (or two: before, after) per dimension. */
const PER_DIMENSION = ['strides', 'dilations', 'ksize', 'explicit_paddings'];

/**
 * Puts transposes around NCHW and NCDHW ops: TensorFlow.js computes only channels last.
 * @param isImageOp - other ops whose input 0 and only output are images
 */
export function putChannelsLast(graph: Graph, isImageOp: OpTest): void {
  for (const node of [...graph.nodes()]) {
    const layout = LAYOUTS.get(node.op) ?? (isImageOp(node) ? ONE_IMAGE : undefined);
    const format = attrString(node, 'data_format');
    if (!layout || (format !== 'NCHW' && format !== 'NCDHW')) continue;
    const rank = format.length;
    const toLast = [0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1];
    const toFirst = [0, rank - 1, ...Array.from({ length: rank - 2 }, (_, i) => i + 1)];
    const inputs = node.inputs.map((ref, i) => {
      if (layout.images.includes(i)) return permuted(graph, 'Transpose', ref, toLast, `${node.name}/input_${i}`);
      if (layout.shapes?.includes(i)) return permuted(graph, 'Gather', ref, toLast, `${node.name}/shape_${i}`);
      return ref;
    });
    // A new node computes the op: this one becomes the transpose of its result.
    const work = graph.add({
      name: graph.freeName(`${node.name}/channels_last`),
      op: node.op,
      inputs,
      attr: channelsLastAttrs(node, toLast, rank),
    });
    const order = orderConst(graph, toFirst, `${node.name}/order`);
    graph.replace(node, { op: 'Transpose', inputs: [{ node: work.name, port: 0 }, order] });
  }
}

function channelsLastAttrs(node: Node, toLast: readonly number[], rank: number): AttrMap {
  const attrs: Record<string, AttrValue> = {
    ...node.attr,
    data_format: attr.string(rank === 5 ? 'NDHWC' : 'NHWC'),
  };
  for (const key of PER_DIMENSION) {
    const numbers = attrInts(node, key) ?? [];
    const each = numbers.length / rank;
    if (each !== 1 && each !== 2) continue;
    attrs[key] = { list: { i: toLast.flatMap((d) => numbers.slice(d * each, (d + 1) * each)) } };
  }
  return attrs;
}

function permuted(
  graph: Graph,
  op: 'Transpose' | 'Gather',
  ref: TensorRef,
  order: readonly number[],
  name: string,
): TensorRef {
  const node = graph.add({
    name: graph.freeName(name),
    op,
    inputs: [ref, orderConst(graph, order, `${name}/order`)],
  });
  return { node: node.name, port: 0 };
}

function orderConst(graph: Graph, order: readonly number[], name: string): TensorRef {
  const tensor = numberTensor(DataType.DT_INT32, [order.length], order);
  const node = graph.add({
    name: graph.freeName(name),
    op: 'Const',
    tensor,
    attr: { dtype: attr.type(DataType.DT_INT32) },
  });
  return { node: node.name, port: 0 };
}
