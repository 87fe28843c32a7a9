import { Shapes } from '../analysis/values/shapes.js';
import { attr } from '../graph/attrs.js';
import { DataType, isFloat } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import type { NodeSpec, TensorRef } from '../graph/node.js';
import { numberTensor } from '../graph/tensor.js';
import { outputTypeOrT } from '../ops/registry.js';
import { type ChannelAxes, channelAxes } from './layout.js';
import type { Sample, Site } from './sites.js';

/**
 * Makes the readers of stored statistics read the moments of the batch instead: an unfused batch norm in training mode.
 * @returns whether that is possible: the rank of its input has to be known
 */
export function useBatchMoments(graph: Graph, { samples, statistics, name }: Site): boolean {
  const [sample] = samples;
  const [mean, variance] = statistics.map(({ place }) => graph.find(place.node));
  const shape = sample && graph.has(sample.tensor.node) ? new Shapes(graph).of(sample.tensor) : undefined;
  // No sample depends on them.
  if (!mean || !variance) return true;
  if (!sample || !shape || !mean.tensor || !variance.tensor) return false;
  const reduced = reducedAxes(shape, sample.axes);
  const adder = new OpAdder(graph, name, sample);
  const axes = adder.ints('axes', reduced);
  const centre = adder.mean(adder.x, axes, true);
  const squares = adder.op('SquaredDifference', [adder.x, centre]);
  const shapes = [mean, variance].map((node) => adder.ints('shape', node.tensor!.shape));
  const moments = [centre, adder.mean(squares, axes, true)];
  for (const [i, node] of [mean, variance].entries()) {
    const moment = adder.op('Reshape', [moments[i]!, shapes[i]!], { Tshape: attr.type(DataType.DT_INT32) });
    graph.replaceUses({ node: node.name, port: 0 }, adder.as(moment, node.tensor!.dtype));
  }
  return true;
}

function reducedAxes(shape: readonly number[], axes: ChannelAxes): number[] {
  const kept = new Set(channelAxes(shape, axes));
  return shape.map((_, axis) => axis).filter((axis) => !kept.has(axis));
}

/** Adds ops to a graph, in the scope of a batch norm. */
class OpAdder {
  readonly #graph: Graph;
  readonly #scope: string;
  readonly #dtype: DataType;
  /** The input, as float. */
  readonly x: TensorRef;

  constructor(graph: Graph, scope: string, { tensor }: Sample) {
    this.#graph = graph;
    this.#scope = scope;
    const own = outputTypeOrT(graph.get(tensor.node), tensor.port);
    this.#dtype = isFloat(own) ? own : DataType.DT_FLOAT;
    this.x = tensor;
  }

  ints(name: string, values: readonly number[]): TensorRef {
    const tensor = numberTensor(DataType.DT_INT32, [values.length], values);
    return this.#add({ name, op: 'Const', tensor, attr: { dtype: attr.type(DataType.DT_INT32) } });
  }

  op(op: string, inputs: readonly TensorRef[], attrs: NodeSpec['attr'] = {}): TensorRef {
    return this.#add({ name: op, op, inputs, attr: { T: attr.type(this.#dtype), ...attrs } });
  }

  mean(x: TensorRef, axes: TensorRef, keeps: boolean): TensorRef {
    return this.op('Mean', [x, axes], { Tidx: attr.type(DataType.DT_INT32), keep_dims: attr.bool(keeps) });
  }

  as(ref: TensorRef, dtype: DataType): TensorRef {
    if (dtype === this.#dtype) return ref;
    const attrs = { SrcT: attr.type(this.#dtype), DstT: attr.type(dtype) };
    return this.#add({ name: 'Cast', op: 'Cast', inputs: [ref], attr: attrs });
  }

  #add(spec: NodeSpec): TensorRef {
    const { name } = this.#graph.add({ ...spec, name: this.#graph.freeName(`${this.#scope}/batch/${spec.name}`) });
    return { node: name, port: 0 };
  }
}
