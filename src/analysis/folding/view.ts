import { attrInts, attrString, attrType } from '../../graph/attrs.js';
import type { DataType } from '../../graph/dtype.js';
import type { Graph } from '../../graph/graph.js';
import { memoizeByVersion } from '../../graph/memo.js';
import { type Node, refText, sameRef, type TensorRef } from '../../graph/node.js';
import type { ChannelFacts } from '../../ops/channel_rules/rule.js';
import { anyOf, readsShape } from '../../ops/meaning.js';
import { constantInts, constantScalar } from '../values/constants.js';
import { type Shape, Shapes } from '../values/shapes.js';
import { ConstantEvaluator } from '../values/vectors.js';
import type { FoldContext } from './context.js';
import type { FoldReason } from './reasons.js';

const hasStrides = anyOf('convolution', 'depthwise_convolution', 'transposed_convolution', 'pool');
const hasLayout = anyOf('fused_batch_norm', 'fused_batch_norm_activation', 'global_batch_norm');

/** Ops whose result has the rank of input 0, unless a constant has a higher rank. */
const keepsRank = anyOf('identity', 'activation', 'bias', 'blocks', 'pad');

/** A read-only view of a graph between two changes: derived facts are computed once. */
export class FoldView implements ChannelFacts {
  readonly graph: Graph;
  readonly constants: ConstantEvaluator;
  readonly #shapes: Shapes;
  readonly #outputs: ReadonlySet<string>;

  /** Whether the user wants to keep a node unchanged. */
  readonly isKept: FoldContext['isKept'];

  constructor({ graph, outputs, isKept }: Pick<FoldContext, 'graph' | 'outputs' | 'isKept'>) {
    this.graph = graph;
    this.isKept = isKept;
    this.constants = new ConstantEvaluator(graph);
    this.#shapes = new Shapes(graph);
    this.#outputs = new Set(outputs.map((ref) => ref.node));
  }

  /** Whether any tensor of the node is an output of the graph. */
  isOutput(name: string): boolean {
    return this.#outputs.has(name);
  }

  /** Sizes of a tensor, -1 for an unknown one; undefined for an unknown rank. */
  shapeOf(ref: TensorRef): Shape {
    return this.#shapes.of(ref);
  }

  /** Number of dimensions; undefined if unknown. The attrs of an op with a layout determine it. */
  rankOf(ref: TensorRef): number | undefined {
    for (let at = ref; ; ) {
      const known = this.shapeOf(at)?.length;
      const node = this.graph.find(at.node);
      if (known !== undefined || !node || at.port !== 0) return known;
      if (hasStrides(node)) return attrInts(node, 'strides')?.length;
      if (hasLayout(node)) return (attrString(node, 'data_format') ?? 'NHWC').length;
      if (node.op === 'MatMul') return 2;
      if (!keepsRank(node) || !node.inputs[0]) return undefined;
      at = node.inputs[0];
    }
  }

  /** The value of a constant list of integers; undefined unless all elements are known. */
  ints(ref: TensorRef | undefined): readonly number[] | undefined {
    return constantInts(this.graph, ref);
  }

  /** The value of a constant of one element. */
  scalar(ref: TensorRef | undefined): number | undefined {
    return constantScalar(this.graph, ref);
  }

  /** Nodes that read the values of a tensor. */
  readers(ref: TensorRef): Node[] {
    return this.graph.consumers(ref).filter((node) => !readsShape(node));
  }

  /** Why a tensor must not change although `user` could compensate; undefined if `user` is its only consumer, once. */
  whyShared(ref: TensorRef, user: Node): FoldReason | undefined {
    if (this.isOutput(ref.node)) return { code: 'is_output', tensor: ref.node };
    const tensor = refText(ref);
    const other = this.readers(ref).find((node) => node !== user);
    if (other) return { code: 'read_elsewhere', tensor, reader: other.name };
    const edges = user.inputs.filter((input) => sameRef(input, ref)).length;
    return edges === 1 ? undefined : { code: 'read_several_times', tensor, reader: user.name };
  }

  /** Whether a node can be removed once nothing reads it: it is not an output and has no outgoing control edges. */
  isRemovable({ name, controls }: Node): boolean {
    return !this.isOutput(name) && controls.length === 0 && this.graph.controlConsumers(name).length === 0;
  }
}

/** The current view of a graph: the same object until the graph changes. */
export const viewOf = memoizeByVersion(
  (context: FoldContext) => new FoldView(context),
  ({ graph }) => graph,
);

/** The dtype of a node's result, by its attr T (or Tout). */
export function typeOf(node: Node): DataType | undefined {
  return attrType(node, 'T') ?? attrType(node, 'Tout');
}
