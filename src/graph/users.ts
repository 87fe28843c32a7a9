import { BnfixError } from '../errors.js';
import type { Node } from './node.js';

/** The nodes that consume one tensor: mostly one, sometimes a few, sometimes thousands. Each takes no more than it has to. */
type Users = Node | readonly Node[] | Set<Node> | undefined;

/** From so many users on, looking through all of them takes longer than looking one up. */
const MANY_USERS = 8;

/** A restoring op has as many outputs as there are variables; more than this is corruption. */
const MAX_PORTS = 2 ** 20;

/** Calls `visit` with each edge by which a node consumes others. */
type EdgesOf = (node: Node, visit: (name: string, port: number) => void) => void;

/** The tensors that a node reads. */
export const DATA_EDGES: EdgesOf = (node, visit) => {
  for (const ref of node.inputs) visit(ref.node, ref.port);
};

/** The nodes that a node waits for, as their port 0. */
export const CONTROL_EDGES: EdgesOf = (node, visit) => {
  for (const name of node.controls) visit(name, 0);
};

/** Which nodes consume which port: the edges of a graph, backwards. */
export class UserIndex {
  /** By the name of the node that is consumed, which may be one that is still to come, and by port. */
  readonly #users = new Map<string, Users[]>();
  readonly #edgesOf: EdgesOf;

  constructor(nodes: Iterable<Node>, edgesOf: EdgesOf) {
    this.#edgesOf = edgesOf;
    for (const node of nodes) this.link(node);
  }

  /** Notes what a node consumes. */
  link(node: Node): void {
    this.#edgesOf(node, (name, port) => this.#add(name, port, node));
  }

  /** Forgets what a node consumes, before that changes. */
  unlink(node: Node): void {
    this.#edgesOf(node, (name, port) => this.#remove(name, port, node));
  }

  /** Nodes that consume a port of a node, each once, in the order in which they came. */
  of(name: string, port: number): readonly Node[] {
    return listed(this.#users.get(name)?.[port]);
  }

  /** Ports of a node that are consumed, in order. */
  ports(name: string): number[] {
    const ports: number[] = [];
    for (const [port, users] of (this.#users.get(name) ?? []).entries()) if (listed(users).length > 0) ports.push(port);
    return ports;
  }

  #add(name: string, port: number, node: Node): void {
    if (port > MAX_PORTS) {
      throw new BnfixError('unreadable', `${node.name} reads ${name}:${port}, which no op has`, {
        where: node.name,
        fix: 'the graph file is corrupt: save it again',
      });
    }
    let all = this.#users.get(name);
    if (!all) {
      // No longer than it has to be: most nodes have one port.
      all = port === 0 ? [undefined] : [];
      this.#users.set(name, all);
    }
    while (all.length <= port) all.push(undefined);
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
  // A copy of a Set, which changes; lists are replaced.
  if (users instanceof Set) return [...users];
  return isList(users) ? users : [users];
}

const NONE: readonly Node[] = [];

function isList(users: Users): users is readonly Node[] {
  return Array.isArray(users);
}
