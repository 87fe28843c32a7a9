import { attrBool, attrInt, attrInts } from '../../../graph/attrs.js';
import { DataType } from '../../../graph/dtype.js';
import type { Graph } from '../../../graph/graph.js';
import type { Node, TensorRef } from '../../../graph/node.js';
import type { NodeSet } from '../../../graph/node_set.js';
import { topologicalOrder } from '../../../graph/walk.js';
import { anyOf } from '../../../ops/meaning.js';
import { outputType } from '../../../ops/registry.js';
import { constantValue } from '../../values/constants.js';
import { Shapes } from '../../values/shapes.js';

/** No data: weights, constants, flags. */
const NONE = -1;
/** The examples of the batch were reduced to one value: a loss, a metric, batch statistics. */
const REDUCED = -2;
/** The batch was merged with other axes, or split: [batch, height, width, classes] became [batch * height * width, classes]. */
const MERGED = -3;
const UNKNOWN = -4;

const isReduction = anyOf('reduction');
const isArgReduction = anyOf('arg_reduction');
const isElementwise = anyOf(
  'arithmetic',
  'activation',
  'comparison',
  'logic',
  'rounding',
  'bias',
  'cast',
  'identity',
  'identity_n',
  'select',
  'switch',
  'merge',
  'enter',
  'exit',
  'fused_batch_norm',
  'fake_quantize',
  'loss',
  'logarithm',
);
const keepsFirst = anyOf('convolution', 'depthwise_convolution', 'transposed_convolution', 'pool', 'resize', 'matmul');
const isTranspose = anyOf('transpose');
const isReshape = anyOf('reshape');
const isSlice = anyOf('slice');
const isGather = anyOf('gather', 'gather_variable');
const isConcat = anyOf('concat');
const isOpaqueOp = anyOf('tensor_array', 'while', 'call', 'if', 'case');
const isExit = anyOf('exit');
const isFused = anyOf('fused_batch_norm');
const isMatMul = anyOf('matmul');
const isSelect = anyOf('select');
const isSwitch = anyOf('switch');
const isSource = anyOf('placeholder', 'pipeline_end', 'decode', 'random');

/** Where the axis of the examples is in each tensor that depends on data; found in one walk, for output 0 of each node. */
export class BatchAxes {
  readonly #graph: Graph;
  readonly #shapes: Shapes;
  readonly #axes: Int8Array;

  /** @param data - the nodes that depend on data @param looped - those inside of loops, which are not followed */
  constructor(graph: Graph, data: NodeSet, looped: NodeSet) {
    this.#graph = graph;
    this.#shapes = new Shapes(graph);
    this.#axes = new Int8Array(graph.idLimit).fill(NONE);
    for (const node of topologicalOrder(graph)) {
      if (data.has(node)) this.#axes[node.id] = this.#isOpaque(node, looped) ? UNKNOWN : this.#infer(node);
    }
  }

  #isOpaque(node: Node, looped: NodeSet): boolean {
    return looped.has(node) || isOpaqueOp(node) || (isExit(node) && looped.has(this.#graph.inputNode(node, 0)));
  }

  /** Whether a tensor no longer depends on single examples: a loss, a metric, batch statistics. */
  isReduced(node: Node): boolean {
    return this.#axes[node.id] === REDUCED;
  }

  /** Whether a reshape merges the axis of the examples with others, or splits it. */
  merges(node: Node): boolean {
    const input = this.#graph.inputNode(node, 0);
    return this.#axes[node.id] === MERGED && input !== undefined && this.#axes[input.id] !== MERGED;
  }

  /** Whether a reshape provably keeps the axis of the examples. */
  keeps(node: Node): boolean {
    return this.#axes[node.id]! >= 0;
  }

  #of(node: Node | undefined): number {
    return node ? this.#axes[node.id]! : NONE;
  }

  #rank(ref: TensorRef | undefined): number | undefined {
    return ref && this.#shapes.of(ref)?.length;
  }

  #infer(node: Node): number {
    const self = { node: node.name, port: 0 };
    if (isSource(node) && node.inputs.length < 2) {
      const isFlag = this.#rank(self) === 0 || outputType(node, 0) === DataType.DT_BOOL;
      return isFlag ? NONE : 0;
    }
    const inputs = this.#graph.inputNodes(node).map((input, i) => {
      if ((isSelect(node) && i === 0) || (isSwitch(node) && i === 1)) return NONE;
      return isFused(input) && node.inputs[i]!.port > 0 ? REDUCED : this.#of(input);
    });
    const known = inputs.filter((axis) => axis !== NONE);
    if (known.length === 0) return isSource(node) ? 0 : NONE;
    if (known.every((axis) => axis === REDUCED)) return REDUCED;
    if (this.#rank(self) === 0 || this.#isShownAsNumber(node)) return REDUCED;
    const first = inputs[0]!;
    if (isReduction(node) || isArgReduction(node)) return this.#reduced(node, first);
    if (isElementwise(node)) return this.#broadcast(node, inputs);
    if (isReshape(node)) return this.#reshaped(node, first);
    if (isTranspose(node)) {
      const order = this.#ints(node, 1);
      return first >= 0 && order ? order.indexOf(first) : first >= 0 ? UNKNOWN : first;
    }
    // A product of all examples with each other: similarities within the batch.
    if (isMatMul(node) && this.#rank(self) === 2 && first === 0 && inputs[1] === 0 && attrBool(node, 'transpose_b'))
      return REDUCED;
    if (keepsFirst(node))
      return first === 0 && !attrBool(node, 'transpose_a') ? 0 : first === MERGED ? MERGED : UNKNOWN;
    if (isSlice(node)) return this.#sliced(node, first);
    if (isGather(node)) return first === NONE || first === REDUCED ? (inputs[1] ?? UNKNOWN) : UNKNOWN;
    if (isConcat(node)) return known[0] === 0 || known[0] === MERGED ? known[0] : UNKNOWN;
    return UNKNOWN;
  }

  /** A scalar summary takes a single number. */
  #isShownAsNumber({ name }: Node): boolean {
    return this.#graph.dataConsumers(name).some(({ op }) => op === 'ScalarSummary');
  }

  #reduced(node: Node, batch: number): number {
    // The examples are along one of the first two axes.
    if (batch === UNKNOWN && [0, 1].every((axis) => this.#ints(node, 1)?.includes(axis))) return REDUCED;
    if (batch === MERGED) return this.#ints(node, 1)?.includes(0) === true ? REDUCED : MERGED;
    if (batch < 0) return batch;
    const rank = this.#rank(node.inputs[0]);
    const axes = this.#ints(node, 1)?.map((axis) => (axis < 0 && rank !== undefined ? axis + rank : axis));
    if (!axes || axes.some((axis) => axis < 0)) return UNKNOWN;
    if (axes.includes(batch)) return REDUCED;
    return isReduction(node) && attrBool(node, 'keep_dims')
      ? batch
      : batch - axes.filter((axis) => axis < batch).length;
  }

  /** Elementwise ops align their inputs at the last axis. */
  #broadcast(node: Node, inputs: readonly number[]): number {
    const rank = this.#rank({ node: node.name, port: 0 });
    const at = inputs.findIndex((axis) => axis >= 0);
    if (at < 0) return inputs.find((axis) => axis === MERGED) ?? inputs.find((axis) => axis === UNKNOWN) ?? REDUCED;
    const own = this.#rank(node.inputs[at]);
    if (rank === undefined || own === undefined || rank === own) return inputs[at]!;
    return rank > own ? inputs[at]! + rank - own : inputs[at]!;
  }

  #reshaped(node: Node, batch: number): number {
    if (batch < 0) return batch === MERGED ? UNKNOWN : batch;
    const before = node.inputs[0] && this.#shapes.of(node.inputs[0]);
    const after = this.#shapes.of({ node: node.name, port: 0 });
    if (node.op === 'ExpandDims') {
      const axis = this.#ints(node, 1)?.[0];
      return axis === undefined ? UNKNOWN : axis >= 0 && axis <= batch ? UNKNOWN : batch;
    }
    if (node.op === 'Squeeze') {
      const axes = attrInts(node, 'squeeze_dims') ?? [];
      return axes.length === 0 || axes.some((axis) => axis >= 0 && axis <= batch) ? UNKNOWN : batch;
    }
    if (batch !== 0 || !before || !after || after.length === 0) return UNKNOWN;
    const [rest, target] = [before, after].map((shape) => product(shape.slice(1)));
    if (rest === undefined || target === undefined) return UNKNOWN;
    return rest === target ? 0 : MERGED;
  }

  #sliced(node: Node, batch: number): number {
    if (batch !== 0) return batch < 0 ? batch : UNKNOWN;
    if (node.op === 'Slice') {
      const [begin, size] = [this.#ints(node, 1), this.#ints(node, 2)];
      return begin?.[0] === 0 && size?.[0] === -1 ? 0 : UNKNOWN;
    }
    const [begin, end, ellipsis] = ['begin_mask', 'end_mask', 'ellipsis_mask'].map((key) => attrInt(node, key) ?? 0);
    const [added, shrunk] = ['new_axis_mask', 'shrink_axis_mask'].map((key) => attrInt(node, key) ?? 0);
    if ((added! | shrunk!) & 1) return UNKNOWN;
    return (begin! & end! & 1) !== 0 || (ellipsis! & 1) !== 0 ? 0 : UNKNOWN;
  }

  #ints(node: Node, index: number): readonly number[] | undefined {
    const input = node.inputs[index];
    const value = input && constantValue(this.#graph, input);
    return value?.values.every((each) => Number.isInteger(each)) ? [...value.values] : undefined;
  }
}

function product(sizes: readonly number[]): number | undefined {
  return sizes.some((size) => size < 0) ? undefined : sizes.reduce((all, size) => all * size, 1);
}
