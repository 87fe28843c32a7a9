import { BnfixError } from '../errors.js';
import type { tensorflow } from '../proto/tensorflow.js';
import { type AttrMap, type AttrValue, attr } from './attrs.js';
import type { NodeSet } from './node_set.js';
import type { Tensor } from './tensor.js';
import { CONTROL_EDGES, DATA_EDGES, UserIndex } from './users.js';

/** One output of a node. */
export interface TensorRef {
  readonly node: string;
  readonly port: number;
}

/** A NodeDef whose edges have been parsed. It is changed through {@link Graph} alone. */
export interface Node {
  readonly name: string;
  /** A small number that no other node of the graph has or will have: the place of the node in tables. */
  readonly id: number;
  readonly op: string;
  readonly device: string;
  readonly inputs: readonly TensorRef[];
  /** Names of the nodes that have to run before (control inputs), without '^'. */
  readonly controls: readonly string[];
  /** All attrs but the payload of a constant, which is in `tensor`. */
  readonly attr: AttrMap;
  /** The value of a Const: a lazy handle. */
  readonly tensor: Tensor | undefined;
  /** Fields of the NodeDef that bnfix does not model, as they were on the wire. */
  readonly unknowns: readonly Uint8Array[] | undefined;
  readonly debugInfo: tensorflow.NodeDef.ExperimentalDebugInfo.$Properties | undefined;
  readonly fullType: tensorflow.FullTypeDef.$Properties | undefined;
}

/** What a NodeDef says beside its name, its op and its edges. */
export type NodeContent = Pick<Node, 'attr' | 'tensor' | 'unknowns' | 'debugInfo' | 'fullType'>;

/** What a new node needs; the rest is empty. */
export interface NodeSpec {
  readonly name: string;
  readonly op: string;
  readonly inputs?: readonly TensorRef[];
  readonly controls?: readonly string[];
  readonly attr?: AttrMap;
  readonly tensor?: Tensor | undefined;
  readonly device?: string;
  readonly unknowns?: readonly Uint8Array[] | undefined;
  readonly debugInfo?: tensorflow.NodeDef.ExperimentalDebugInfo.$Properties | undefined;
  readonly fullType?: tensorflow.FullTypeDef.$Properties | undefined;
  /** In place of `attr` and what follows it here: it may be something that is decoded when it is asked. */
  readonly content?: NodeContent;
}

/** What belongs to a GraphDef beside its nodes. */
export interface GraphFrame {
  readonly versions?: tensorflow.VersionDef.$Properties | undefined;
  readonly version?: number | undefined;
  readonly library?: tensorflow.FunctionDefLibrary.$Properties | undefined;
  readonly debugInfo?: tensorflow.GraphDebugInfo.$Properties | undefined;
  readonly unknowns?: readonly Uint8Array[] | undefined;
}

/** A node with all its fields, always in this order: a graph has 100,000 of them, and every pass reads each. */
class GraphNode implements Node {
  readonly name: string;
  readonly id: number;
  op: string;
  device: string;
  inputs: readonly TensorRef[];
  controls: readonly string[];
  content: NodeContent;
  /** What makes the inputs, once somebody has asked. */
  producers: readonly GraphNode[] | undefined;

  constructor(spec: NodeSpec, id: number) {
    this.name = spec.name;
    this.id = id;
    this.op = spec.op;
    this.device = spec.device ?? '';
    this.inputs = spec.inputs ?? NO_INPUTS;
    this.controls = spec.controls ?? NO_CONTROLS;
    this.content = spec.content ?? contentOf(spec);
    this.producers = undefined;
  }

  get attr(): AttrMap {
    return this.content.attr;
  }

  get tensor(): Tensor | undefined {
    return this.content.tensor;
  }

  get unknowns(): readonly Uint8Array[] | undefined {
    return this.content.unknowns;
  }

  get debugInfo(): NodeContent['debugInfo'] {
    return this.content.debugInfo;
  }

  get fullType(): NodeContent['fullType'] {
    return this.content.fullType;
  }
}

function contentOf({ attr = NO_ATTRS, tensor, unknowns, debugInfo, fullType }: Partial<NodeContent>): NodeContent {
  return { attr, tensor, unknowns, debugInfo, fullType };
}

const NO_INPUTS: readonly TensorRef[] = [];
const NO_CONTROLS: readonly string[] = [];
const NO_ATTRS: AttrMap = {};

/** `name:port`, with `:0` left out, as TensorFlow writes it in NodeDefs. */
export function refText(ref: TensorRef): string {
  return ref.port === 0 ? ref.node : `${ref.node}:${ref.port}`;
}

/** Parses `name`, `name:0` or `^name` (port undefined). */
export function parseInput(text: string): { node: string; port: number | undefined } {
  if (text.startsWith('^')) return { node: text.slice(1), port: undefined };
  const colon = text.lastIndexOf(':');
  if (colon > 0 && /^\d+$/.test(text.slice(colon + 1))) {
    return { node: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
  }
  return { node: text, port: 0 };
}

export function sameRef(a: TensorRef, b: TensorRef): boolean {
  return a.node === b.node && a.port === b.port;
}

/**
 * A GraphDef in memory: nodes in file order, edges parsed, consumers indexed by tensor.
 * Every change goes through its methods, so that the index cannot drift.
 */
export class Graph {
  readonly #nodes = new Map<string, GraphNode>();
  /** Made when somebody asks for consumers, and kept up to date from then on. */
  #users: UserIndex | undefined;
  /** The same for control edges, of which some graphs have a hundred for each node. */
  #waiting: UserIndex | undefined;
  /** Where {@link freeName} goes on counting, by base. */
  readonly #suffixes = new Map<string, number>();
  #frame: GraphFrame;
  #changes = 0;
  #idLimit = 0;

  constructor(nodes: Iterable<NodeSpec> = [], frame: GraphFrame = {}) {
    this.#frame = frame;
    for (const node of nodes) this.add(node);
  }

  /** Another graph of the same nodes; payloads are shared, they never change. */
  copy(): Graph {
    return new Graph(this.#nodes.values(), this.#frame);
  }

  get frame(): GraphFrame {
    return this.#frame;
  }

  setFrame(frame: GraphFrame): void {
    this.#frame = frame;
  }

  /** Grows with every change of a node or an edge: what was found out about them holds as long as it stays. */
  get changes(): number {
    return this.#changes;
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

  has(name: string): boolean {
    return this.#nodes.has(name);
  }

  find(name: string): Node | undefined {
    return this.#nodes.get(name);
  }

  /** @throws BnfixError `internal` when there is no such node. */
  get(name: string): Node {
    return this.#mutable(name);
  }

  /** The node that makes the given input of a node. */
  producer(ref: TensorRef): Node {
    return this.#mutable(ref.node);
  }

  /** The producer of input `index`; undefined where there is no such input or its node is missing. */
  inputNode(node: Node, index: number): Node | undefined {
    return this.inputNodes(node)[index];
  }

  /** The producers of the inputs, in their order; undefined where one is missing. */
  inputNodes(node: Node): readonly (Node | undefined)[] {
    const own = node as GraphNode;
    if (own.producers) return own.producers;
    const found = node.inputs.map((ref) => this.#nodes.get(ref.node));
    // As long as it is consumed, a node stays: this holds until the inputs are others.
    if (!found.includes(undefined)) own.producers = found as readonly GraphNode[];
    return found;
  }

  /** Nodes that consume a tensor, each once. */
  consumers(ref: TensorRef): readonly Node[] {
    return this.#data.of(ref.node, ref.port);
  }

  /** Nodes that wait for a node by a control edge. */
  controlConsumers(name: string): readonly Node[] {
    return this.#control.of(name, 0);
  }

  /** Ports of a node that are consumed, in order. */
  usedPorts(name: string): number[] {
    return this.#data.ports(name);
  }

  /** All nodes that consume any output of a node as data. */
  dataConsumers(name: string): readonly Node[] {
    const [first, ...others] = this.usedPorts(name);
    if (first === undefined) return [];
    if (others.length === 0) return this.#data.of(name, first);
    return [...new Set([first, ...others].flatMap((port) => this.#data.of(name, port)))];
  }

  add(spec: NodeSpec): Node {
    if (this.#nodes.has(spec.name)) throw new BnfixError('internal', `a node ${spec.name} is there already`);
    const node = new GraphNode(spec, this.#idLimit++);
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
    if (port !== undefined) throw stillConsumed(refText({ node: name, port }), this.#data.of(name, port)[0]!);
    const [waiting] = this.controlConsumers(name);
    if (waiting) throw stillConsumed(`^${name}`, waiting);
    this.#unlink(node);
    this.#nodes.delete(name);
  }

  /** Keeps these nodes alone. @throws BnfixError `internal` when they need others */
  retain(keep: NodeSet): void {
    const gone = [...this.#nodes.values()].filter((node) => !keep.has(node));
    if (gone.length === 0) return;
    for (const { name } of gone) this.#nodes.delete(name);
    for (const node of this.#nodes.values()) {
      for (const ref of node.inputs) if (!this.#nodes.has(ref.node)) throw stillConsumed(refText(ref), node);
      for (const name of node.controls) if (!this.#nodes.has(name)) throw stillConsumed(`^${name}`, node);
    }
    this.#changes++;
    // What is left is mostly little.
    this.#users = undefined;
    this.#waiting = undefined;
  }

  setInput(node: Node, index: number, ref: TensorRef): void {
    const inputs = [...node.inputs];
    if (index >= inputs.length) throw new BnfixError('internal', `${node.name} has no input ${index}`);
    inputs[index] = ref;
    this.setInputs(node, inputs);
  }

  setInputs(node: Node, inputs: readonly TensorRef[]): void {
    this.#relink(node, (mutable) => {
      mutable.inputs = inputs;
    });
  }

  setControls(node: Node, controls: readonly string[]): void {
    this.#relink(node, (mutable) => {
      mutable.controls = controls;
    });
  }

  setAttr(node: Node, key: string, value: AttrValue): void {
    const mutable = this.#mutable(node.name);
    this.#changes++;
    mutable.content = contentOf({ ...contentOf(mutable), attr: { ...mutable.attr, [key]: value } });
  }

  removeAttrs(node: Node, keys: readonly string[]): void {
    if (!keys.some((key) => key in node.attr)) return;
    const mutable = this.#mutable(node.name);
    this.#changes++;
    const attrs = Object.fromEntries(Object.entries(mutable.attr).filter(([key]) => !keys.includes(key)));
    mutable.content = contentOf({ ...contentOf(mutable), attr: attrs });
  }

  setDevice(node: Node, device: string): void {
    this.#mutable(node.name).device = device;
  }

  /** Makes the node another one of the same name: everything that is not given is empty. */
  replace(node: Node, spec: Omit<NodeSpec, 'name'>): void {
    this.#relink(node, (mutable) => {
      mutable.op = spec.op;
      mutable.inputs = spec.inputs ?? NO_INPUTS;
      mutable.controls = spec.controls ?? NO_CONTROLS;
      mutable.device = spec.device ?? '';
      mutable.content = contentOf({ attr: spec.attr ?? NO_ATTRS, tensor: spec.tensor });
    });
  }

  /** Makes the node a Const that holds `tensor`. */
  replaceByConst(node: Node, tensor: Tensor, controls: readonly string[] = []): void {
    this.replace(node, { op: 'Const', tensor, controls, attr: { dtype: attr.type(tensor.dtype) } });
  }

  /** Lets all consumers of `from` (or those that `only` admits) consume `to` instead. Returns how many changed. */
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
    if (!node) throw new BnfixError('internal', `there is no node ${name}`);
    return node;
  }

  get #data(): UserIndex {
    this.#users ??= new UserIndex(this.#nodes.values(), DATA_EDGES);
    return this.#users;
  }

  get #control(): UserIndex {
    this.#waiting ??= new UserIndex(this.#nodes.values(), CONTROL_EDGES);
    return this.#waiting;
  }

  #relink(node: Node, change: (mutable: GraphNode) => void): void {
    const mutable = this.#mutable(node.name);
    this.#unlink(mutable);
    change(mutable);
    this.#link(mutable);
  }

  #link(node: GraphNode): void {
    this.#changes++;
    node.producers = undefined;
    this.#users?.link(node);
    this.#waiting?.link(node);
  }

  #unlink(node: GraphNode): void {
    this.#changes++;
    this.#users?.unlink(node);
    this.#waiting?.unlink(node);
  }
}

function stillConsumed(edge: string, { name }: Node): BnfixError {
  return new BnfixError('internal', `${edge} is still consumed by ${name}`);
}
