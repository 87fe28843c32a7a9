import { attr, attrString, attrType } from '../../graph/attrs.js';
import type { DataType } from '../../graph/dtype.js';
import type { Graph } from '../../graph/graph.js';
import { memoizeByVersion } from '../../graph/memo.js';
import { type Node, refText, sameRef, type TensorRef } from '../../graph/node.js';
import { numberTensor, type Tensor } from '../../graph/tensor.js';
import { Frames } from '../../ops/frames.js';
import { readsShape } from '../../ops/meaning.js';
import { type Shape, Shapes } from '../values/shapes.js';
import { ConstantEvaluator } from '../values/vectors.js';
import type { FoldContext } from './context.js';

/** Ranks that an op gives its result, whatever is known of its input. */
const RANKS: Readonly<Record<string, number>> = {
  Conv2D: 4,
  DepthwiseConv2dNative: 4,
  Conv2DBackpropInput: 4,
  Conv3D: 5,
  Conv3DBackpropInput: 5,
  Conv3DBackpropInputV2: 5,
  MatMul: 2,
  MaxPool: 4,
  AvgPool: 4,
  FusedBatchNorm: 4,
  FusedBatchNormV2: 4,
  BatchNormWithGlobalNormalization: 4,
};

/** Ops whose result has the rank of input 0 at least, where no constant of a higher rank is involved. */
const SAME_RANK: ReadonlySet<string> = new Set([
  'Identity',
  'Relu',
  'Relu6',
  'BiasAdd',
  'BatchToSpaceND',
  'SpaceToBatchND',
  'Pad',
  'PadV2',
  'MirrorPad',
]);

/** A graph as it is between two changes: what is derived from it is worked out once. Take a new one after a change. */
export class FoldView {
  readonly graph: Graph;
  readonly constants: ConstantEvaluator;
  readonly #shapes: Shapes;
  readonly #outputs: ReadonlySet<string>;
  #frames: Frames | undefined;

  /** Whether the user wants a node left as it is. */
  readonly isKept: FoldContext['isKept'];

  constructor({ graph, outputs, isKept }: Pick<FoldContext, 'graph' | 'outputs' | 'isKept'>) {
    this.graph = graph;
    this.isKept = isKept;
    this.constants = new ConstantEvaluator(graph);
    this.#shapes = new Shapes(graph);
    this.#outputs = new Set(outputs.map((ref) => ref.node));
  }

  /** Whether any tensor of the node is asked for. */
  isOutput(name: string): boolean {
    return this.#outputs.has(name);
  }

  shapeOf(ref: TensorRef): Shape {
    return this.#shapes.of(ref);
  }

  /** Number of dimensions; undefined where it is not known. */
  rankOf(ref: TensorRef, depth = 0): number | undefined {
    const known = this.shapeOf(ref)?.length;
    const node = this.graph.find(ref.node);
    if (known !== undefined || !node || depth > 32) return known;
    if (node.op === 'FusedBatchNormV3') return (attrString(node, 'data_format') ?? 'NHWC').length;
    if (node.op in RANKS) return RANKS[node.op];
    return SAME_RANK.has(node.op) && node.inputs[0] ? this.rankOf(node.inputs[0], depth + 1) : undefined;
  }

  /** Nodes that read the numbers of a tensor. */
  readers(ref: TensorRef): Node[] {
    return this.graph.consumers(ref).filter((node) => !readsShape(node));
  }

  /** Why a tensor may not change although `user` could bear it; undefined where `user` alone reads it, once. */
  whyShared(ref: TensorRef, user: Node): string | undefined {
    if (this.isOutput(ref.node)) return `${ref.node} is an output of the graph`;
    const others = this.readers(ref).filter((node) => node !== user);
    if (others[0]) return `${refText(ref)} is read by ${others[0].name}, too`;
    const edges = user.inputs.filter((input) => sameRef(input, ref)).length;
    return edges === 1 ? undefined : `${user.name} reads ${refText(ref)} ${edges} times`;
  }

  /** Why a node cannot be removed; undefined where it can. */
  whyNotRemovable({ name, controls }: Node): string | undefined {
    if (this.isOutput(name)) return `${name} is an output of the graph`;
    if (controls.length > 0) return `${name} has control inputs`;
    return this.graph.controlConsumers(name).length > 0 ? `others wait for ${name} by control edges` : undefined;
  }

  /** A new constant of numbers for `user`, brought into the loop that it is in. */
  addConstant(name: string, dtype: DataType, shape: readonly number[], values: Float64Array, user: string): TensorRef {
    return this.addTensor(name, numberTensor(dtype, shape, values), user);
  }

  addTensor(name: string, tensor: Tensor, user: string): TensorRef {
    const { graph } = this;
    const attrs = { dtype: attr.type(tensor.dtype) };
    const node = graph.add({ name: graph.freeName(name), op: 'Const', tensor, attr: attrs });
    const ref = { node: node.name, port: 0 };
    if (!this.#hasLoops()) return ref;
    this.#frames ??= new Frames(graph);
    return this.#frames.bring(ref, tensor.dtype, this.#frames.of(user));
  }

  #loops: boolean | undefined;

  #hasLoops(): boolean {
    this.#loops ??= [...this.graph.nodes()].some((node) => node.op === 'Enter');
    return this.#loops;
  }
}

/** The graph as it is now: the same view until it changes. */
export const viewOf = memoizeByVersion(
  (context: FoldContext) => new FoldView(context),
  ({ graph }) => graph,
);

/** The dtype of a node's result, by its attr T (or Tout). */
export function typeOf(node: Node): DataType | undefined {
  return attrType(node, 'T') ?? attrType(node, 'Tout');
}
