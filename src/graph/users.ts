import type { Node } from './node.js';

/** The nodes that consume one tensor: mostly one, sometimes thousands. Each case uses as little memory as possible. */
type Users = Node | readonly Node[] | Set<Node> | undefined;

/** From this number of users on, a linear search is slower than a lookup. */
const MANY_USERS = 8;

/** How many ports may follow each other that nothing reads before the others are kept apart. */
const MAX_GAP = 64;

/** Calls `visit` with each input edge of a node. */
type EdgesOf = (node: Node, visit: (name: string, port: number) => void) => void;

/** The tensors that a node reads. */
export const DATA_EDGES: EdgesOf = (node, visit) => {
  for (const ref of node.inputs) visit(ref.node, ref.port);
};

/** The control inputs of a node, as port 0 of each. */
export const CONTROL_EDGES: EdgesOf = (node, visit) => {
  for (const name of node.controls) visit(name, 0);
};

/** Which nodes consume which port: the reverse edges of a graph. */
export class UserIndex {
  /** By the name of the consumed node, which may not exist yet, and by port. */
  readonly #users = new Map<string, Users[]>();
  readonly #edgesOf: EdgesOf;

  constructor(nodes: Iterable<Node>, edgesOf: EdgesOf) {
    this.#edgesOf = edgesOf;
    for (const node of nodes) this.link(node);
  }

  /** Records the inputs of a node. */
  link(node: Node): void {
    this.#edgesOf(node, (name, port) => this.#add(name, port, node));
  }

  /** Forgets the inputs of a node, before they change. */
  unlink(node: Node): void {
    this.#edgesOf(node, (name, port) => this.#remove(name, port, node));
  }

  /** Nodes that consume a port of a node, each once, in insertion order. */
  of(name: string, port: number): readonly Node[] {
    return listed(this.#users.get(name)?.[port]);
  }

  /** Ports of a node that are consumed, in order. */
  ports(name: string): number[] {
    const all = this.#users.get(name);
    if (!all) return [];
    if (all.length > MAX_GAP)
      return Object.keys(all)
        .map(Number)
        .filter((port) => listed(all[port]).length > 0);
    const ports: number[] = [];
    for (const [port, users] of all.entries()) if (listed(users).length > 0) ports.push(port);
    return ports;
  }

  #add(name: string, port: number, node: Node): void {
    let all = this.#users.get(name);
    if (!all) {
      // As short as possible: most nodes have one port.
      all = port === 0 ? [undefined] : [];
      this.#users.set(name, all);
    }
    // Without holes if the ports are dense; an array with one far port is a table.
    if (port < all.length + MAX_GAP) while (all.length <= port) all.push(undefined);
    all[port] = withUser(all[port], node);
  }

  #remove(name: string, port: number, node: Node): void {
    const all = this.#users.get(name);
    if (all) all[port] = withoutUser(all[port], node);
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

const NONE: readonly Node[] = [];

function isList(users: Users): users is readonly Node[] {
  return Array.isArray(users);
}
