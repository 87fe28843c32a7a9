import { attr, attrString, attrType } from '../graph/attrs.js';
import { DataType } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import type { Node, TensorRef } from '../graph/node.js';
import { numberTensor } from '../graph/tensor.js';

/** Adds the batch mean and the batch variance (by n, in float32) of a fused batch norm's input to a graph. */
export function addMoments(graph: Graph, batchNorm: Node): [mean: TensorRef, variance: TensorRef] {
  const add = (name: string, op: string, inputs: readonly TensorRef[], rest: Partial<Node>): TensorRef => {
    const node = graph.add({ name: graph.freeName(`${batchNorm.name}/${name}`), op, inputs, ...rest });
    return { node: node.name, port: 0 };
  };
  const format = attrString(batchNorm, 'data_format') ?? 'NHWC';
  const channels = format.startsWith('NC') ? 1 : format.length - 1;
  const others = Array.from(format, (_, axis) => axis).filter((axis) => axis !== channels);
  const [float, int] = [attr.type(DataType.DT_FLOAT), attr.type(DataType.DT_INT32)];
  const tensor = numberTensor(DataType.DT_INT32, [others.length], others);
  const axes = add('axes', 'Const', [], { tensor, attr: { dtype: int } });
  const type = attrType(batchNorm, 'T') ?? DataType.DT_FLOAT;
  const [x] = batchNorm.inputs as [TensorRef];
  const wide =
    type === DataType.DT_FLOAT ? x : add('float', 'Cast', [x], { attr: { SrcT: attr.type(type), DstT: float } });
  const reduce = (name: string, input: TensorRef, keeps: boolean) =>
    add(name, 'Mean', [input, axes], { attr: { T: float, Tidx: int, keep_dims: attr.bool(keeps) } });
  const centre = reduce('centre', wide, true);
  const squares = add('squares', 'SquaredDifference', [wide, centre], { attr: { T: float } });
  return [reduce('mean', wide, false), reduce('variance', squares, false)];
}
