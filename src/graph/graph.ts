import { BnfixError } from '../errors.js';
import type { tensorflow } from '../proto/tensorflow.js';
import { type AttrMap, type AttrValue, attr } from './attrs.js';
import type { Tensor } from './tensor.js';

/** One output of a node. */
export interface TensorRef {
  readonly node: string;
  readonly port: number;
}

/** A NodeDef whose edges have been parsed. It is changed through {@link Graph} alone. */
export interface Node {
  readonly name: string;
  readonly op: string;
  readonly device: string;
  readonly inputs: readonly TensorRef[];
  /** Names of the nodes that have to run before (control inputs), without '^'. */
  readonly controls: readonly string[];
  /** All attrs but the payload of a constant, which is in `tensor`. */
  readonly attr: AttrMap;
  /** The value of a Const: a lazy handle. */
  readonly tensor?: Tensor;
  /** Fields of the NodeDef that bnfix does not model, as they were on the wire. */
  readonly unknowns?: readonly Uint8Array[];
  readonly debugInfo?: tensorflow.NodeDef.ExperimentalDebugInfo.$Properties;
  readonly fullType?: tensorflow.FullTypeDef.$Properties;
}

type Mutable = { -readonly [K in keyof Node]: Node[K] };

/** What a new node needs; the rest is empty. */
export interface NodeSpec {
  readonly name: string;
  readonly op: string;
  readonly inputs?: readonly TensorRef[];
  readonly controls?: readonly string[];
  readonly attr?: AttrMap;
  readonly tensor?: Tensor;
  readonly device?: string;
  readonly unknowns?: readonly Uint8Array[];
  readonly debugInfo?: tensorflow.NodeDef.ExperimentalDebugInfo.$Properties;
  readonly fullType?: tensorflow.FullTypeDef.$Properties;
}

/** What belongs to a GraphDef beside its nodes. */
export interface GraphFrame {
  readonly versions?: tensorflow.VersionDef.$Properties | undefined;
  readonly version?: number | undefined;
  readonly library?: tensorflow.FunctionDefLibrary.$Properties | undefined;
  readonly debugInfo?: tensorflow.GraphDebugInfo.$Properties | undefined;
  readonly unknowns?: readonly Uint8Array[] | undefined;
}

const CONTROL = -1;

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
  readonly #nodes = new Map<string, Mutable>();
  /** node -> port (or CONTROL) -> nodes that consume it. */
  readonly #uses = new Map<string, Map<number, Set<Mutable>>>();
  #frame: GraphFrame;
  #changes = 0;

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
    const ref = node.inputs[index];
    return ref && this.#nodes.get(ref.node);
  }

  /** Nodes that consume a tensor, each once. */
  consumers(ref: TensorRef): readonly Node[] {
    const set = this.#uses.get(ref.node)?.get(ref.port);
    return set ? [...set] : [];
  }

  /** Nodes that wait for a node by a control edge. */
  controlConsumers(name: string): readonly Node[] {
    return this.consumers({ node: name, port: CONTROL });
  }

  /** Ports of a node that are consumed, in order. */
  usedPorts(name: string): number[] {
    const ports = [...(this.#uses.get(name)?.entries() ?? [])];
    return ports
      .filter(([port, set]) => port !== CONTROL && set.size > 0)
      .map(([port]) => port)
      .sort((a, b) => a - b);
  }

  /** All nodes that consume any output of a node as data. */
  dataConsumers(name: string): Node[] {
    return [...new Set(this.usedPorts(name).flatMap((port) => this.consumers({ node: name, port })))];
  }

  add(spec: NodeSpec): Node {
    if (this.#nodes.has(spec.name)) throw new BnfixError('internal', `a node ${spec.name} is there already`);
    const node: Mutable = { device: '', inputs: [], controls: [], attr: {}, ...spec };
    this.#nodes.set(node.name, node);
    this.#link(node);
    return node;
  }

  /** A name that is not taken: `base`, `base_1`, ... */
  freeName(base: string): string {
    let name = base;
    for (let i = 1; this.#nodes.has(name); i++) name = `${base}_${i}`;
    return name;
  }

  /** @throws BnfixError `internal` when something still consumes it. */
  remove(name: string): void {
    const node = this.#mutable(name);
    for (const [port, set] of this.#uses.get(name) ?? []) {
      const [consumer] = set;
      if (consumer) {
        const edge = port === CONTROL ? `^${name}` : refText({ node: name, port });
        throw new BnfixError('internal', `${edge} is still consumed by ${consumer.name}`, { where: name });
      }
    }
    this.#unlink(node);
    this.#nodes.delete(name);
    this.#uses.delete(name);
  }

  /** Keeps the named nodes alone. They must be closed under their inputs. */
  retain(keep: ReadonlySet<string>): void {
    const gone = [...this.#nodes.values()].filter((node) => !keep.has(node.name));
    this.#changes++;
    for (const node of gone) this.#unlink(node);
    for (const node of gone) {
      this.#nodes.delete(node.name);
      for (const set of this.#uses.get(node.name)?.values() ?? []) {
        const [consumer] = set;
        if (consumer) throw new BnfixError('internal', `${node.name} is still consumed by ${consumer.name}`);
      }
      this.#uses.delete(node.name);
    }
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
    mutable.attr = { ...mutable.attr, [key]: value };
  }

  removeAttrs(node: Node, keys: readonly string[]): void {
    if (!keys.some((key) => key in node.attr)) return;
    const mutable = this.#mutable(node.name);
    this.#changes++;
    mutable.attr = Object.fromEntries(Object.entries(mutable.attr).filter(([key]) => !keys.includes(key)));
  }

  setDevice(node: Node, device: string): void {
    this.#mutable(node.name).device = device;
  }

  /** Makes the node another one of the same name: everything that is not given is empty. */
  replace(node: Node, spec: Omit<NodeSpec, 'name'>): void {
    this.#relink(node, (mutable) => {
      mutable.op = spec.op;
      mutable.inputs = spec.inputs ?? [];
      mutable.controls = spec.controls ?? [];
      mutable.attr = spec.attr ?? {};
      mutable.device = spec.device ?? '';
      delete mutable.tensor;
      delete mutable.unknowns;
      delete mutable.debugInfo;
      delete mutable.fullType;
      if (spec.tensor) mutable.tensor = spec.tensor;
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

  #mutable(name: string): Mutable {
    const node = this.#nodes.get(name);
    if (!node) throw new BnfixError('internal', `there is no node ${name}`);
    return node;
  }

  #relink(node: Node, change: (mutable: Mutable) => void): void {
    const mutable = this.#mutable(node.name);
    this.#unlink(mutable);
    change(mutable);
    this.#link(mutable);
  }

  #link(node: Mutable): void {
    this.#changes++;
    for (const ref of node.inputs) this.#users(ref.node, ref.port).add(node);
    for (const name of node.controls) this.#users(name, CONTROL).add(node);
  }

  #unlink(node: Mutable): void {
    this.#changes++;
    for (const ref of node.inputs) this.#uses.get(ref.node)?.get(ref.port)?.delete(node);
    for (const name of node.controls) this.#uses.get(name)?.get(CONTROL)?.delete(node);
  }

  #users(name: string, port: number): Set<Mutable> {
    const ports = this.#uses.get(name) ?? new Map<number, Set<Mutable>>();
    this.#uses.set(name, ports);
    const set = ports.get(port) ?? new Set<Mutable>();
    ports.set(port, set);
    return set;
  }
}
