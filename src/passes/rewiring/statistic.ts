import { variableValue } from '../../analysis/state/checkpoint_value.js';
import type { Variable } from '../../analysis/state/variables.js';
import { constantInts } from '../../analysis/values/constants.js';
import { type Shape, Shapes } from '../../analysis/values/shapes.js';
import { attr, attrBool, attrInts } from '../../graph/attrs.js';
import { DataType } from '../../graph/dtype.js';
import type { Graph } from '../../graph/graph.js';
import { type Node, refText, type TensorRef } from '../../graph/node.js';
import { numberTensor, type Tensor } from '../../graph/tensor.js';
import { sourceOf } from '../../graph/walk.js';
import { Frames } from '../../ops/frames.js';
import { anyOf, isIdentity } from '../../ops/meaning.js';
import { outputTypes } from '../../ops/registry.js';
import type { PassContext } from '../pass.js';

/** What the rewiring knows of the graph as it was. */
export interface Rewire extends PassContext {
  readonly shapes: Shapes;
  readonly frames: Frames;
}

export function rewireContext(context: PassContext): Rewire {
  return { ...context, shapes: new Shapes(context.graph), frames: new Frames(context.graph) };
}

const UNKNOWN_SIZE = -1;
const MAX_DEPTH = 10;

/** Puts a variable in the place of a tensor that carries the statistic which it follows, in that tensor's shape. */
export function rewireStatistic(context: Rewire, ref: TensorRef, variable: Variable): void {
  const { graph } = context;
  const node = graph.get(ref.node);
  if (graph.consumers(ref).length === 0) return;
  // What is assigned to a variable has its shape.
  const averages = context.batchNorms.averages.get(refText(ref)) ?? [];
  const assigned = averages.some((average) => average.variable.node === variable.node && average.isDirect);
  const shape = assigned ? 'same' : shapeLike(variable.shape, deducedShape(context, ref, variable));
  if (shape === 'unknown') return;
  const dtype = outputTypes(node)?.[ref.port] ?? variable.dtype;
  const to = statisticRef(context, node.name, variable, dtype, shape === 'same' ? undefined : shape);
  graph.replaceUses(ref, to);
}

const isArithmetic = anyOf('arithmetic');

/** The shape of a statistic. Of an activation whose rank is not known, those of one channel axis still tell theirs. */
function deducedShape(context: Rewire, ref: TensorRef, variable: Variable, depth = 0): Shape {
  const { graph, shapes } = context;
  const known = shapes.of(ref);
  if (known || depth > MAX_DEPTH) return known;
  const node = graph.get(sourceOf(graph, ref, isIdentity).node);
  if (isArithmetic(node)) {
    const parts = node.inputs.map((input) => deducedShape(context, input, variable, depth + 1));
    if (parts.some((part) => part === undefined)) return undefined;
    return parts.reduce((longest, part) => (part!.length > longest!.length ? part : longest));
  }
  if (node.op === 'Squeeze') return attrInts(node, 'squeeze_dims')?.length ? [UNKNOWN_SIZE] : undefined;
  if (node.op !== 'Mean' && node.op !== 'Sum') return undefined;
  const axes = constantInts(graph, node.inputs[1]);
  if (!axes || axes.some((axis) => axis < 0)) return undefined;
  if (!attrBool(node, 'keep_dims')) return [UNKNOWN_SIZE];
  if (variable.shape && variable.shape.length > 1) return variable.shape;
  return Array.from({ length: axes.length + 1 }, (_, axis) => (axes.includes(axis) ? 1 : UNKNOWN_SIZE));
}

/** The shape in which a variable stands for a tensor of shape `wanted`: its channels where that has them, 1 elsewhere. */
function shapeLike(own: Shape, wanted: Shape): 'same' | 'unknown' | readonly number[] {
  if (!own || !wanted) return own && !wanted ? 'unknown' : 'same';
  if (own.length === wanted.length) return 'same';
  const channels = own.reduce((product, size) => product * size, 1);
  if (channels === 1) return wanted.map(() => 1);
  const exact = wanted.flatMap((size, axis) => (size === channels ? [axis] : []));
  const open = wanted.flatMap((size, axis) => (size === 1 ? [] : [axis]));
  const at = exact.length === 1 ? exact[0] : open.length === 1 ? open[0] : undefined;
  return at === undefined ? 'unknown' : wanted.map((_, axis) => (axis === at ? channels : 1));
}

/** A tensor with the variable's value, of the given dtype and shape. */
export function statisticRef(
  { graph, checkpoint, frames }: Rewire,
  scope: string,
  variable: Variable,
  dtype: DataType,
  shape: readonly number[] | undefined,
): TensorRef {
  let ref = readRef(graph, variable, checkpoint && variableValue(variable, checkpoint));
  const frame = frames.of(scope);
  const base = `${scope}/${variable.node.split('/').at(-1)}`;
  const add = (op: string, inputs: TensorRef[], attrs: Node['attr']): TensorRef => {
    const { name } = graph.add({ name: graph.freeName(`${base}/${op}`), op, inputs, attr: attrs });
    return { node: name, port: 0 };
  };
  if (variable.dtype !== dtype) ref = add('Cast', [ref], { SrcT: attr.type(variable.dtype), DstT: attr.type(dtype) });
  if (shape) {
    const target = graph.add({
      name: graph.freeName(`${base}/shape`),
      op: 'Const',
      tensor: numberTensor(DataType.DT_INT32, [shape.length], shape),
      attr: { dtype: attr.type(DataType.DT_INT32) },
    });
    const attrs = { T: attr.type(dtype), Tshape: attr.type(DataType.DT_INT32) };
    ref = add('Reshape', [ref, { node: target.name, port: 0 }], attrs);
  }
  return frames.bring(ref, dtype, frame);
}

/** The value of a variable as a tensor: the variable itself by reference, a read of a resource, or a constant. */
function readRef(graph: Graph, variable: Variable, value: Tensor | undefined): TensorRef {
  const node = graph.find(variable.node);
  if (!node) {
    graph.add({ name: variable.node, op: 'Const', tensor: value!, attr: { dtype: attr.type(variable.dtype) } });
    return { node: variable.node, port: 0 };
  }
  if (node.op !== 'VarHandleOp') return { node: variable.node, port: 0 };
  const name = `${variable.node}/inference_read`;
  if (!graph.has(name)) {
    const inputs = [{ node: variable.node, port: 0 }];
    graph.add({ name, op: 'ReadVariableOp', inputs, attr: { dtype: attr.type(variable.dtype) } });
  }
  return { node: name, port: 0 };
}
