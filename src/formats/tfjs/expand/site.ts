import { type Shape, Shapes } from '../../../analysis/values/shapes.js';
import { BnfixError } from '../../../errors.js';
import { type AttrMap, attr, attrString, attrType } from '../../../graph/attrs.js';
import { DataType } from '../../../graph/dtype.js';
import type { Graph } from '../../../graph/graph.js';
import type { Node, TensorRef } from '../../../graph/node.js';
import { numberTensor } from '../../../graph/tensor.js';
import type { ConstantValue } from '../../../ops/value_rules.js';

/** A node to be made of other ops. What it knows of the graph is from before any change, so that all sites are linear in time. */
export class Site {
  readonly node: Node;
  /** The shapes of its inputs. */
  readonly shapes: readonly Shape[];
  /** The values of its inputs, as far as they are constants. */
  readonly values: readonly (ConstantValue | undefined)[];
  readonly #graph: Graph;

  constructor(graph: Graph, node: Node) {
    const known = new Shapes(graph);
    this.#graph = graph;
    this.node = node;
    this.shapes = node.inputs.map((ref) => known.of(ref));
    this.values = node.inputs.map((ref) => known.value(ref));
  }

  /** An input. */
  input(index: number): TensorRef {
    return this.node.inputs[index]!;
  }

  /** The dtype that it computes in. */
  get type(): DataType {
    return attrType(this.node, 'T') ?? DataType.DT_FLOAT;
  }

  /** Whether its data_format is NCHW or NCDHW. */
  get isChannelsFirst(): boolean {
    return attrString(this.node, 'data_format')?.startsWith('NC') ?? false;
  }

  /** The rank of an input. @throws BnfixError `unsupported` when it is unknown */
  rank(index: number): number {
    const shape = this.shapes[index];
    if (shape) return shape.length;
    throw new BnfixError('unsupported', `TensorFlow.js needs the rank of what ${this.node.op} reads`, {
      where: this.node.name,
      fix: { option: 'inputShapes', value: 'NAME=SIZES', text: 'gives the shape of an input' },
    });
  }

  /** A new node with one output. */
  add(op: string, inputs: readonly TensorRef[], attrs: AttrMap = {}): TensorRef {
    const name = this.#graph.freeName(`${this.node.name}/${op}`);
    this.#graph.add({ name, op, inputs, attr: { T: attr.type(this.type), ...attrs } });
    return { node: name, port: 0 };
  }

  /** A new constant. */
  constant(shape: readonly number[], values: ArrayLike<number>, dtype: DataType = this.type): TensorRef {
    const tensor = numberTensor(dtype, shape, values);
    const name = this.#graph.freeName(`${this.node.name}/Const`);
    this.#graph.add({ name, op: 'Const', tensor, attr: { dtype: attr.type(dtype) } });
    return { node: name, port: 0 };
  }

  /** A new scalar. */
  scalar(value: number, dtype?: DataType): TensorRef {
    return this.constant([], [value], dtype);
  }

  /** A new vector of int32. */
  ints(values: readonly number[]): TensorRef {
    return this.constant([values.length], values, DataType.DT_INT32);
  }

  /** Makes another op of the node, under its name. */
  become(op: string, inputs: readonly TensorRef[], attrs: AttrMap = {}): void {
    this.#graph.replace(this.node, { op, inputs, attr: { T: attr.type(this.type), ...attrs } });
  }

  /** Lets consumers of an output read another tensor. */
  forward(port: number, to: TensorRef): void {
    this.#graph.replaceUses({ node: this.node.name, port }, to);
  }

  /** Whether something reads an output. */
  isRead(port: number): boolean {
    return this.#graph.consumers({ node: this.node.name, port }).length > 0;
  }

  /** An error for a node that cannot be made of other ops. */
  refuse(why: string): BnfixError {
    return new BnfixError('unsupported', `TensorFlow.js cannot run ${this.node.op}`, {
      where: this.node.name,
      why,
      fix: { option: 'format', value: 'pb', text: 'writes a frozen graph for other programs' },
    });
  }
}
