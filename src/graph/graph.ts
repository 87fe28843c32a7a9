import { BnfixError } from '../errors.js';
import type { tensorflow } from '../proto/tensorflow.js';
import { type AttrMap, type AttrValue, attr } from './attrs.js';
import {
  contentOf,
  GraphNode,
  NO_ATTRS,
  NO_CONTROLS,
  NO_INPUTS,
  type Node,
  type NodeSpec,
  refText,
  sameRef,
  type TensorRef,
} from './node.js';
import type { NodeSet } from './node_set.js';
import type { Tensor } from './tensor.js';
import { CONTROL_EDGES, DATA_EDGES, type EdgesOf, UserIndex } from './users.js';

/** The fields of a GraphDef other than its nodes. */
export interface GraphHeader {
  /** Versions of producer and consumers (versions.proto). */
  readonly versions?: tensorflow.VersionDef.$Properties | undefined;
  /** The field that `versions` replaced. */
  readonly version?: number | undefined;
  /** Functions that nodes call. */
  readonly library?: tensorflow.FunctionDefLibrary.$Properties | undefined;
  /** Stack traces of nodes. */
  readonly debugInfo?: tensorflow.GraphDebugInfo.$Properties | undefined;
  /** Fields of the GraphDef that bnfix does not model, in wire format. */
  readonly unknowns?: readonly Uint8Array[] | undefined;
}

/**
 * A GraphDef in memory: nodes in file order, edges parsed, consumers indexed by tensor.
 * All changes go through its methods, which keep the index up to date.
 */
export class Graph {
  readonly #nodes = new Map<string, GraphNode>();
  /** Created on the first query for consumers, and kept up to date from then on. */
  #users: UserIndex | undefined;
  /** The same for control edges; some graphs have a hundred per node. */
  #waiting: UserIndex | undefined;
  /** The next number of {@link freeName}, by base. */
  readonly #suffixes = new Map<string, number>();
  /** The ids of nodes that are consumed, but do not exist yet. */
  readonly #awaited = new Map<string, number>();
  #header: GraphHeader;
  #version = 0;
  #idLimit = 0;

  constructor(nodes: Iterable<NodeSpec> = [], header: GraphHeader = {}) {
    this.#header = header;
    for (const node of nodes) this.add(node);
  }

  /**
   * A copy of the graph with nodes in the same order; payloads are immutable and shared.
   * @param only - the nodes to copy, with all their inputs and control inputs; undefined for all nodes
   */
  copy(only?: NodeSet): Graph {
    const nodes = this.#nodes.values();
    return new Graph(only === undefined ? nodes : [...nodes].filter((node) => only.has(node)), this.#header);
  }

  get header(): GraphHeader {
    return this.#header;
  }

  /** Replaces the fields of the GraphDef other than its nodes. */
  setHeader(header: GraphHeader): void {
    this.#header = header;
  }

  /** Increases with every change of a node or an edge: cached results are valid while it is unchanged. */
  get version(): number {
    return this.#version;
  }

  get size(): number {
    return this.#nodes.size;
  }

  /** All ids of nodes are below this. */
  get idLimit(): number {
    return this.#idLimit;
  }

  /** Nodes in file order; new ones come last. */
  nodes(): IterableIterator<Node> {
    return this.#nodes.values();
  }

  /** Whether the graph has a node of this name. */
  has(name: string): boolean {
    return this.#nodes.has(name);
  }

  /** The node of this name; undefined if it does not exist. */
  find(name: string): Node | undefined {
    return this.#nodes.get(name);
  }

  /** @throws BnfixError `internal` when the node does not exist. */
  get(name: string): Node {
    return this.#mutable(name);
  }

  /** The node that makes the given input of a node. */
  producer(ref: TensorRef): Node {
    return this.#mutable(ref.node);
  }

  /** The producer of input `index`; undefined if the input or its node does not exist. */
  inputNode(node: Node, index: number): Node | undefined {
    return this.inputNodes(node)[index];
  }

  /** The producers of the inputs, in order; undefined for a missing one. */
  inputNodes(node: Node): readonly (Node | undefined)[] {
    const own = node as GraphNode;
    if (own.producers) return own.producers;
    const found = node.inputs.map((ref) => this.#nodes.get(ref.node));
    // Consumed nodes cannot be removed, so this is valid until the inputs change.
    if (!found.includes(undefined)) own.producers = found as readonly GraphNode[];
    return found;
  }

  /** Nodes that consume a tensor, each once. */
  consumers(ref: TensorRef): readonly Node[] {
    return this.#data.of(this.#knownId(ref.node), ref.port);
  }

  /** Nodes with a control edge from a node. */
  controlConsumers(name: string): readonly Node[] {
    return this.#control.of(this.#knownId(name), 0);
  }

  /** Ports of a node that are consumed, in order. */
  usedPorts(name: string): number[] {
    return this.#data.ports(this.#knownId(name));
  }

  /** All nodes that consume any output of a node as data. */
  dataConsumers(name: string): readonly Node[] {
    return this.#data.all(this.#knownId(name));
  }

  /**
   * Appends a node; its inputs may be added later.
   * @throws BnfixError `internal` when its name is taken
   */
  add(spec: NodeSpec): Node {
    if (this.#nodes.has(spec.name)) throw new BnfixError('internal', `a node ${spec.name} already exists`);
    const node = new GraphNode(spec, this.#awaited.get(spec.name) ?? this.#idLimit++);
    this.#awaited.delete(spec.name);
    this.#nodes.set(node.name, node);
    this.#link(node);
    return node;
  }

  /** A name that is not taken: `base`, `base_1`, ... */
  freeName(base: string): string {
    if (!this.#nodes.has(base)) return base;
    for (let i = this.#suffixes.get(base) ?? 1; ; i++) {
      const name = `${base}_${i}`;
      if (this.#nodes.has(name)) continue;
      this.#suffixes.set(base, i);
      return name;
    }
  }

  /** @throws BnfixError `internal` when something still consumes it. */
  remove(name: string): void {
    const node = this.#mutable(name);
    const [port] = this.usedPorts(name);
    if (port !== undefined) throw stillConsumed(refText({ node: name, port }), this.#data.of(node.id, port)[0]!);
    const [waiting] = this.controlConsumers(name);
    if (waiting) throw stillConsumed(`^${name}`, waiting);
    this.#unlink(node);
    this.#nodes.delete(name);
  }

  /** Removes all nodes except these. @throws BnfixError `internal` when they need others */
  retain(keep: NodeSet): void {
    const gone = [...this.#nodes.values()].filter((node) => !keep.has(node));
    if (gone.length === 0) return;
    for (const { name } of gone) this.#nodes.delete(name);
    for (const node of this.#nodes.values()) {
      for (const ref of node.inputs) if (!this.#nodes.has(ref.node)) throw stillConsumed(refText(ref), node);
      for (const name of node.controls) if (!this.#nodes.has(name)) throw stillConsumed(`^${name}`, node);
    }
    this.#version++;
    // Usually few nodes remain.
    this.#users = undefined;
    this.#waiting = undefined;
  }

  /** Replaces input `index` of a node. */
  setInput(node: Node, index: number, ref: TensorRef): void {
    const inputs = [...node.inputs];
    if (index >= inputs.length) throw new BnfixError('internal', `${node.name} has no input ${index}`);
    inputs[index] = ref;
    this.setInputs(node, inputs);
  }

  /** Replaces all data inputs of a node. */
  setInputs(node: Node, inputs: readonly TensorRef[]): void {
    this.#relink(node, (mutable) => {
      mutable.inputs = inputs;
    });
  }

  /** Replaces the control inputs of a node: names without '^'. */
  setControls(node: Node, controls: readonly string[]): void {
    this.#relink(node, (mutable) => {
      mutable.controls = controls;
    });
  }

  /** Sets one attr of a node. */
  setAttr(node: Node, key: string, value: AttrValue): void {
    const mutable = this.#mutable(node.name);
    this.#version++;
    mutable.content = contentOf({ ...contentOf(mutable), attr: { ...mutable.attr, [key]: value } });
  }

  /** Removes attrs of a node; those that it does not have are ignored. */
  removeAttrs(node: Node, keys: readonly string[]): void {
    if (!keys.some((key) => key in node.attr)) return;
    this.setAttrs(node, Object.fromEntries(Object.entries(node.attr).filter(([key]) => !keys.includes(key))));
  }

  /** Replaces all attrs of a node. */
  setAttrs(node: Node, attrs: AttrMap): void {
    const mutable = this.#mutable(node.name);
    this.#version++;
    mutable.content = contentOf({ ...contentOf(mutable), attr: attrs });
  }

  /** Places a node on a device; '' lets TensorFlow choose. */
  setDevice(node: Node, device: string): void {
    this.#mutable(node.name).device = device;
  }

  /** Redefines a node under its name: everything that is not given becomes empty. */
  replace(node: Node, spec: Omit<NodeSpec, 'name'>): void {
    this.#relink(node, (mutable) => {
      mutable.op = spec.op;
      mutable.inputs = spec.inputs ?? NO_INPUTS;
      mutable.controls = spec.controls ?? NO_CONTROLS;
      mutable.device = spec.device ?? '';
      mutable.content = contentOf({ attr: spec.attr ?? NO_ATTRS, tensor: spec.tensor });
    });
  }

  /** Moves a node to the place and the name of another, its only consumer. */
  moveTo(node: Node, place: Node): void {
    const { op, device, inputs, controls, content } = this.#mutable(node.name);
    this.#relink(place, (mutable) => Object.assign(mutable, { op, device, inputs, controls, content }));
    this.remove(node.name);
  }

  /** Gives a node another name; it comes last then. @throws BnfixError `internal` when the name is taken */
  rename(node: Node, name: string): Node {
    const { op, device, inputs, controls, content } = this.#mutable(node.name);
    const renamed = this.add({ name, op, device, inputs, controls, content });
    for (const port of this.usedPorts(node.name)) this.replaceUses({ node: node.name, port }, { node: name, port });
    for (const consumer of this.controlConsumers(node.name).slice()) {
      this.setControls(
        consumer,
        consumer.controls.map((control) => (control === node.name ? name : control)),
      );
    }
    this.remove(node.name);
    return renamed;
  }

  /** Turns the node into a Const with the value `tensor`. */
  replaceByConst(node: Node, tensor: Tensor, controls: readonly string[] = []): void {
    this.replace(node, { op: 'Const', tensor, controls, attr: { dtype: attr.type(tensor.dtype) } });
  }

  /** Makes all consumers of `from` (or those that `only` admits) consume `to` instead. Returns how many changed. */
  replaceUses(from: TensorRef, to: TensorRef, only: (consumer: Node) => boolean = () => true): number {
    const consumers = this.consumers(from).filter(only);
    for (const consumer of consumers) {
      this.setInputs(
        consumer,
        consumer.inputs.map((ref) => (sameRef(ref, from) ? to : ref)),
      );
    }
    return consumers.length;
  }

  #mutable(name: string): GraphNode {
    const node = this.#nodes.get(name);
    if (!node) throw new BnfixError('internal', `node ${name} not found`);
    return node;
  }

  #knownId(name: string): number | undefined {
    return this.#nodes.get(name)?.id ?? this.#awaited.get(name);
  }

  /** The id of a node; of one that does not exist yet, the one that it will have. */
  #idOf(name: string): number {
    const known = this.#knownId(name);
    if (known !== undefined) return known;
    this.#awaited.set(name, this.#idLimit);
    return this.#idLimit++;
  }

  get #data(): UserIndex {
    this.#users ??= this.#indexed(DATA_EDGES);
    return this.#users;
  }

  get #control(): UserIndex {
    this.#waiting ??= this.#indexed(CONTROL_EDGES);
    return this.#waiting;
  }

  #indexed(edges: EdgesOf): UserIndex {
    return new UserIndex(this.#nodes.values(), this.#idLimit, edges, (name) => this.#idOf(name));
  }

  #relink(node: Node, change: (mutable: GraphNode) => void): void {
    const mutable = this.#mutable(node.name);
    this.#unlink(mutable);
    change(mutable);
    this.#link(mutable);
  }

  #link(node: GraphNode): void {
    this.#version++;
    node.producers = undefined;
    this.#users?.link(node);
    this.#waiting?.link(node);
  }

  #unlink(node: GraphNode): void {
    this.#version++;
    this.#users?.unlink(node);
    this.#waiting?.unlink(node);
  }
}

function stillConsumed(edge: string, { name }: Node): BnfixError {
  return new BnfixError('internal', `${edge} is still consumed by ${name}`);
}
