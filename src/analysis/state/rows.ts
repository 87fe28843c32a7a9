import { attrInt } from '../../graph/attrs.js';
import type { Graph } from '../../graph/graph.js';
import { type Node, refText, type TensorRef } from '../../graph/node.js';
import { elementCount, MAX_RANK } from '../../graph/tensor.js';
import { sourceOf } from '../../graph/walk.js';
import { anyOf } from '../../ops/meaning.js';
import { constantInts } from '../values/constants.js';
import type { Shapes } from '../values/shapes.js';
import { isElementwise, operands, updatedValue } from './assignments.js';
import type { Variable, Variables } from './variables.js';

/** A row of a variable: which one, and a tensor that reads it. */
export interface Row {
  /** The variable and the index: equal for all reads and updates of the row. */
  readonly key: string;
  readonly read: TensorRef;
  /** The index, if it is constant. */
  readonly index: number | undefined;
  /** Shape of the whole variable. */
  readonly of: readonly number[] | undefined;
}

const updatesRow = anyOf('row_update');
const gathersFromHandle = anyOf('gather_variable');
const gathers = anyOf('gather');
const forwardsIndex = anyOf('identity', 'reshape', 'pack', 'cast');
const isGiven = anyOf('constant', 'placeholder', 'shape_query');
const moves = anyOf('pack', 'concat', 'slice', 'reshape');

/** The rows of variables: statistics for each step, domain or task. */
export class Rows {
  readonly #graph: Graph;
  readonly #variables: Variables;
  readonly #shapes: Shapes;

  constructor(graph: Graph, variables: Variables, shapes: Shapes) {
    this.#graph = graph;
    this.#variables = variables;
    this.#shapes = shapes;
  }

  /** The row that an op updates, as a variable of its own; undefined if nothing in its value reads the row before. */
  updatedBy(node: Node): Variable | undefined {
    if (!updatesRow(node) || node.inputs.length < 3) return undefined;
    const table = this.#variables.ofHandle(node.inputs[0]!);
    const index = this.#indexOf(node);
    if (!table || index === undefined) return undefined;
    const key = `${table.node}[${index}]`;
    const read = this.#readIn(updatedValue(node), key);
    if (!read) return undefined;
    const shape = this.#shapes.of(read) ?? table.shape?.slice(1);
    const row = { key, read, index: /^\d+$/.test(index) ? Number(index) : undefined, of: table.shape };
    return { ...table, shape, row };
  }

  /** The key of the row that a tensor is; undefined for other tensors. */
  keyOf(ref: TensorRef): string | undefined {
    const node = this.#graph.find(ref.node);
    const [from] = node?.inputs ?? [];
    if (!node || !from) return undefined;
    const isRead = gathers(node) || node.op === 'StridedSlice';
    if (!isRead && !gathersFromHandle(node)) return undefined;
    const table = isRead ? this.#variables.readBy(from) : this.#variables.ofHandle(from);
    const index = table && this.#indexOf(node);
    return index === undefined ? undefined : `${table!.node}[${index}]`;
  }

  /** Whether inference knows the index: it is constant, or computed from constants and inputs of the net. */
  isKnown({ read }: Row): boolean {
    const node = this.#graph.get(read.node);
    const seen = new Map(node.inputs.slice(1).map((ref) => [refText(ref), ref]));
    for (const ref of seen.values()) {
      const at = this.#graph.get(ref.node);
      if (isGiven(at)) continue;
      if (this.#variables.readBy(ref) || !(isElementwise(at) || moves(at)) || at.inputs.length === 0) return false;
      for (const input of at.inputs) seen.set(refText(input), input);
    }
    return true;
  }

  /** The index of the only row that an op reads or updates: a number, or the tensor that holds it. */
  #indexOf(node: Node): string | undefined {
    if (node.op.includes('StridedSlice')) return this.#indexOfSlice(node);
    if ((attrInt(node, 'batch_dims') ?? 0) !== 0) return undefined;
    const isAlongRows = node.op !== 'GatherV2' || constantInts(this.#graph, node.inputs[2])?.join() === '0';
    return isAlongRows ? this.#indexIn(node.inputs[1]!) : undefined;
  }

  #indexOfSlice(node: Node): string | undefined {
    const [begin, end, strides] = node.inputs.slice(1, 4);
    const [from, to, step] = [begin, end, strides].map((ref) => constantInts(this.#graph, ref));
    const mask = (name: string) => attrInt(node, `${name}_mask`) ?? 0;
    const axes = begin && this.#shapes.of(begin)?.[0];
    if (!axes || axes > MAX_RANK || mask('new_axis') !== 0 || mask('begin') % 2 === 1 || (step && step[0] !== 1))
      return undefined;
    for (let axis = 1; axis < axes; axis++) {
      const isOpen = (mask('begin') >> axis) % 2 === 1 && (mask('end') >> axis) % 2 === 1;
      const isRest = (mask('ellipsis') >> axis) % 2 === 1;
      if (!(isOpen || isRest) || (mask('shrink_axis') >> axis) % 2 === 1) return undefined;
    }
    if (mask('ellipsis') % 2 === 1) return undefined;
    const isOne = mask('shrink_axis') % 2 === 1 || (from && to && mask('end') % 2 === 0 && to[0] === from[0]! + 1);
    if (!isOne) return undefined;
    if (from) return String(from[0]);
    return axes === 1 ? this.#indexIn(begin) : undefined;
  }

  #indexIn(ref: TensorRef): string | undefined {
    const values = constantInts(this.#graph, ref);
    if (values) return values.length === 1 ? String(values[0]) : undefined;
    const shape = this.#shapes.of(ref);
    if (!shape || shape.some((size) => size < 0) || elementCount(shape) !== 1) return undefined;
    return refText(sourceOf(this.#graph, ref, (node) => forwardsIndex(node) && node.inputs.length <= 2));
  }

  /** A tensor in an update expression that reads a row. */
  #readIn(value: TensorRef, key: string): TensorRef | undefined {
    const seen = new Map([[refText(value), value]]);
    for (const ref of seen.values()) {
      if (this.keyOf(ref) === key) return ref;
      const node = this.#graph.find(ref.node);
      if (node && isElementwise(node)) for (const input of operands(node)) seen.set(refText(input), input);
    }
    return undefined;
  }
}
