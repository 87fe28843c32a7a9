import type { Node } from './node.js';

/** The nodes that consume one tensor: mostly one, sometimes thousands. Each case uses as little memory as possible. */
type Users = Node | readonly Node[] | Set<Node> | undefined;

/** From this number of users on, a linear search is slower than a lookup. */
const MANY_USERS = 8;

/** How many ports may follow each other that nothing reads before the others are kept apart. */
const MAX_GAP = 64;

/** Calls `visit` with each input edge of a node. */
export type EdgesOf = (node: Node, visit: (name: string, port: number) => void) => void;

/** The tensors that a node reads. */
export const DATA_EDGES: EdgesOf = (node, visit) => {
  for (const ref of node.inputs) visit(ref.node, ref.port);
};

/** The control inputs of a node, as port 0 of each. */
export const CONTROL_EDGES: EdgesOf = (node, visit) => {
  for (const name of node.controls) visit(name, 0);
};

/**
 * Which nodes consume which port: the reverse edges of a graph, by the id of the consumed node. Most nodes have one output
 * and one consumer, and take one element of an array here.
 */
export class UserIndex {
  /** The users of port 0. */
  readonly #first: Users[];
  /** The users of other ports, for the nodes that have such users. */
  readonly #others = new Map<number, Users[]>();
  readonly #edgesOf: EdgesOf;
  readonly #idOf: (name: string) => number;

  /**
   * @param size - all ids of nodes are below this
   * @param idOf - the id of a node, also of one that does not exist yet
   */
  constructor(nodes: Iterable<Node>, size: number, edgesOf: EdgesOf, idOf: (name: string) => number) {
    this.#first = new Array<Users>(size).fill(undefined);
    this.#edgesOf = edgesOf;
    this.#idOf = idOf;
    for (const node of nodes) this.link(node);
  }

  /** Records the inputs of a node. */
  link(node: Node): void {
    this.#edgesOf(node, (name, port) => this.#add(this.#idOf(name), port, node));
  }

  /** Forgets the inputs of a node, before they change. */
  unlink(node: Node): void {
    this.#edgesOf(node, (name, port) => this.#remove(this.#idOf(name), port, node));
  }

  /** Nodes that consume a port of a node, each once, in insertion order; none without an id. */
  of(id: number | undefined, port: number): readonly Node[] {
    if (id === undefined) return NONE;
    return listed(port === 0 ? this.#first[id] : this.#others.get(id)?.[port]);
  }

  /** Ports of a node that are consumed, in order. */
  ports(id: number | undefined): number[] {
    if (id === undefined) return [];
    const ports = isUsed(this.#first[id]) ? [0] : [];
    const others = this.#others.get(id);
    if (!others) return ports;
    // An array with one far port is a table.
    const known = others.length > MAX_GAP ? Object.keys(others).map(Number) : others.keys();
    for (const port of known) if (isUsed(others[port])) ports.push(port);
    return ports;
  }

  /** Nodes that consume any port of a node, each once. */
  all(id: number | undefined): readonly Node[] {
    if (id === undefined || !this.#others.has(id)) return this.of(id, 0);
    const ports = this.ports(id);
    if (ports.length === 1) return this.of(id, ports[0]!);
    return distinct(ports.flatMap((port) => this.of(id, port)));
  }

  #add(id: number, port: number, node: Node): void {
    if (port === 0) {
      while (this.#first.length < id) this.#first.push(undefined);
      this.#first[id] = withUser(this.#first[id], node);
      return;
    }
    let others = this.#others.get(id);
    if (!others) {
      others = [];
      this.#others.set(id, others);
    }
    // Without holes if the ports are dense.
    if (port < others.length + MAX_GAP) while (others.length <= port) others.push(undefined);
    others[port] = withUser(others[port], node);
  }

  #remove(id: number, port: number, node: Node): void {
    const users = port === 0 ? this.#first : this.#others.get(id);
    if (users) users[port === 0 ? id : port] = withoutUser(users[port === 0 ? id : port], node);
  }
}

function withUser(users: Users, node: Node): Users {
  if (users === undefined) return node;
  if (users instanceof Set) return users.add(node);
  const few = isList(users) ? users : [users];
  if (few.includes(node)) return users;
  return few.length < MANY_USERS ? [...few, node] : new Set([...few, node]);
}

function withoutUser(users: Users, node: Node): Users {
  if (users instanceof Set) users.delete(node);
  else if (isList(users)) return users.filter((user) => user !== node);
  return users === node ? undefined : users;
}

function listed(users: Users): readonly Node[] {
  if (users === undefined) return NONE;
  // Copy a Set, since it is changed in place; lists are replaced.
  if (users instanceof Set) return [...users];
  return isList(users) ? users : [users];
}

function isUsed(users: Users): boolean {
  return users instanceof Set ? users.size > 0 : isList(users) ? users.length > 0 : users !== undefined;
}

function distinct(nodes: readonly Node[]): readonly Node[] {
  if (nodes.length > MANY_USERS) return [...new Set(nodes)];
  return nodes.filter((node, i) => nodes.indexOf(node) === i);
}

const NONE: readonly Node[] = [];

function isList(users: Users): users is readonly Node[] {
  return Array.isArray(users);
}
