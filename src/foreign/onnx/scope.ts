import { int64 } from '../../graph/numbers.js';
import type { onnx } from '../../proto/tensorflow.js';
import { type Body, domainOf } from './read_model.js';

/** A tensor: the output of a node, an initializer, or an input of the graph or of a subgraph. */
export class Value {
  readonly name: string;
  /** The op that computes it; undefined for an initializer or an input. */
  readonly producer: OnnxNode | undefined;
  /** The value of an initializer. */
  readonly initializer: onnx.TensorProto.$Properties | undefined;
  /** The If, Loop or Scan that passes it into its subgraph. */
  readonly passedBy: OnnxNode | undefined;
  /** The nodes that read it and feed an output, in no order. */
  readonly consumers: OnnxNode[] = [];

  constructor(name: string, from: Partial<Pick<Value, 'producer' | 'initializer' | 'passedBy'>> = {}) {
    this.name = name;
    this.producer = from.producer;
    this.initializer = from.initializer;
    this.passedBy = from.passedBy;
  }
}

/** A branch of an If, as its attribute is called; for a Where, its second or third input. */
export type Branch = 'then_branch' | 'else_branch';

/** Finds what nodes read. */
export interface NodeReader {
  inputsOf(node: OnnxNode): readonly (Value | undefined)[];
  resultsOf(node: OnnxNode): readonly Value[];
}

/** A node that feeds an output; the nodes of a function exist once for every call. */
export class OnnxNode {
  readonly proto: onnx.NodeProto.$Properties;
  readonly scope: Scope;
  /** The branch that an If or Where takes, if that is known; the other one is no part of the graph. */
  taken: Branch | undefined;
  readonly #reader: NodeReader;
  #inputs: readonly (Value | undefined)[] | undefined;
  #results: readonly Value[] | undefined;

  constructor(proto: onnx.NodeProto.$Properties, scope: Scope, reader: NodeReader) {
    this.proto = proto;
    this.scope = scope;
    this.#reader = reader;
  }

  /** What it reads; undefined for an input that is left out. */
  get inputs(): readonly (Value | undefined)[] {
    this.#inputs ??= this.#reader.inputsOf(this);
    return this.#inputs;
  }

  /** What its subgraphs output. */
  get results(): readonly Value[] {
    this.#results ??= this.#reader.resultsOf(this);
    return this.#results;
  }

  /** The names of its outputs; those that are left out are ''. */
  get outputs(): readonly string[] {
    return this.proto.output ?? [];
  }

  get op(): string {
    return this.proto.op_type ?? '';
  }

  /** `''` for the ops of ONNX itself. */
  get domain(): string {
    return domainOf(this.proto.domain);
  }

  /** The version of its set of ops. */
  get opset(): number {
    return this.scope.opsets.get(this.domain) ?? 1;
  }

  /** Its name, or that of its first output if it has none; in a function, after the name of the call. */
  get name(): string {
    return this.scope.path + (this.proto.name || this.outputs.find((name) => name !== '') || this.op);
  }

  /** An attribute; in a function, it may be that of the call. */
  attribute(name: string): onnx.AttributeProto.$Properties | undefined {
    return attributeOf(this.proto, this.scope, name);
  }

  /** An int attribute; undefined if it is absent. */
  int(name: string): number | undefined {
    const attribute = this.attribute(name);
    return attribute && int64(attribute.i);
  }

  /** An attribute that is a list of ints; undefined if it is absent. */
  ints(name: string): number[] | undefined {
    return this.attribute(name)?.ints?.map(int64);
  }
}

/** The attribute of a node, or, in a function, of the call that it refers to. */
export function attributeOf(
  proto: onnx.NodeProto.$Properties,
  scope: Scope,
  name: string,
): onnx.AttributeProto.$Properties | undefined {
  const own = proto.attribute?.find((attribute) => attribute.name === name);
  return own?.ref_attr_name ? scope.attributes.get(own.ref_attr_name) : own;
}

/** The output of a node. */
export interface Output {
  readonly proto: onnx.NodeProto.$Properties;
  readonly index: number;
}

/** A name and where it has its meaning. */
export interface Place {
  readonly scope: Scope;
  readonly name: string;
}

/** Where names have a meaning: the graph, a subgraph in it, or one call of a function. */
export class Scope {
  readonly body: Body;
  readonly opsets: ReadonlyMap<string, number>;
  /** The graph around a subgraph, whose tensors it can read. */
  readonly outer: Scope | undefined;
  /** The node that has the subgraph. */
  readonly owner: OnnxNode | undefined;
  /** In front of the names of its nodes. */
  readonly path: string;
  /** How many functions and subgraphs it is in. */
  readonly depth: number;
  /** The tensors that the arguments of a function stand for. */
  readonly bindings: ReadonlyMap<string, Place>;
  /** The attributes of the call of a function. */
  readonly attributes: ReadonlyMap<string, onnx.AttributeProto.$Properties>;
  /** The nodes that feed an output. */
  readonly nodes = new Map<onnx.NodeProto.$Properties, OnnxNode>();
  /** What its names mean, as far as that was asked. */
  readonly values = new Map<string, Value>();
  /** The functions that its nodes call. */
  readonly calls = new Map<onnx.NodeProto.$Properties, Scope>();

  constructor(
    body: Body,
    opsets: ReadonlyMap<string, number>,
    at: Partial<Pick<Scope, 'outer' | 'owner' | 'path' | 'depth' | 'bindings' | 'attributes'>> = {},
  ) {
    this.body = body;
    this.opsets = opsets;
    this.outer = at.outer;
    this.owner = at.owner;
    this.path = at.path ?? '';
    this.depth = at.depth ?? 0;
    this.bindings = at.bindings ?? new Map();
    this.attributes = at.attributes ?? new Map();
  }
}
