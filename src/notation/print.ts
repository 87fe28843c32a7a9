import { BnfixError } from '../errors.js';
import type { AttrMap } from '../graph/attrs.js';
import { DataType, dtypeName } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import type { Node, TensorRef } from '../graph/node.js';
import { NodeSet } from '../graph/node_set.js';
import type { Tensor } from '../graph/tensor.js';
import { topologicalOrder } from '../graph/walk.js';
import { printable } from '../printable.js';
import { attrText } from './attr_text.js';
import { constantText } from './constant_text.js';
import { inferredTypes } from './inferred_types.js';
import { nameText } from './tokens.js';

/** The part of a graph to print; without `around`, all of it. */
export interface PrintOptions {
  /** A node to print with its neighbours. */
  readonly around?: string;
  /** The maximum distance in edges, forwards and backwards. Default: 2. */
  readonly distance?: number;
}

/**
 * Prints a graph in the notation of `parseGraph` (docs/notation.md): one node per line, in topological order, attrs sorted.
 * Omits redundant parts: type attrs, float32 placeholders of unknown shape, names of nodes nested in their only
 * consumer's inputs. Constants of more than 16 elements are given by shape and hash. Header and functions are not printed.
 *
 * @throws BnfixError `usage` when the node `around` does not exist
 */
export function printGraph(graph: Graph, { around, distance = 2 }: PrintOptions = {}): string {
  const shown = around === undefined ? undefined : neighbours(graph, around, distance);
  const printer = new Printer(graph, shown);
  const lines = printer.lines(topologicalOrder(graph));
  if (around !== undefined) lines.unshift(`# ${shown!.size} of ${graph.size} nodes, around ${nameText(around)}`);
  return lines.map((line) => `${line}\n`).join('');
}

function neighbours(graph: Graph, name: string, distance: number): NodeSet {
  if (!graph.has(name)) throw new BnfixError('usage', `node ${name} not found`);
  const found = new NodeSet(graph, [graph.get(name)]);
  let ring: readonly Node[] = [...found];
  for (let step = 0; step < distance; step++) {
    const next = ring.flatMap((node) => [
      ...graph.inputNodes(node),
      ...node.controls.map((control) => graph.find(control)),
      ...graph.dataConsumers(node.name),
      ...graph.controlConsumers(node.name),
    ]);
    ring = next.filter((node): node is Node => node !== undefined && !found.has(node));
    for (const node of ring) found.add(node);
  }
  return found;
}

/** The printed part of a node: at the edge of a part, without its inputs. */
interface Shown {
  readonly op: string;
  readonly inputs: readonly TensorRef[];
  readonly controls: readonly string[];
  readonly attr: AttrMap;
}

class Printer {
  readonly #graph: Graph;
  readonly #part: NodeSet | undefined;
  /** Nodes that have a line of their own, or are part of one. */
  readonly #written = new Set<string>();

  constructor(graph: Graph, part: NodeSet | undefined) {
    this.#graph = graph;
    this.#part = part;
  }

  lines(order: readonly Node[]): string[] {
    const edge = new NodeSet(this.#graph);
    for (const node of this.#part ?? []) {
      for (const name of [...node.inputs.map((ref) => ref.node), ...node.controls]) edge.add(this.#graph.find(name));
    }
    // From the last to the first: nested nodes need no line of their own.
    const lines: string[] = [];
    for (const node of [...order].reverse()) {
      if (this.#part && !this.#part.has(node) && !edge.has(node)) continue;
      if (this.#written.has(node.name) || this.#isImplied(node)) continue;
      this.#written.add(node.name);
      const device = node.device === '' ? '' : ` on ${printable(node.device)}`;
      lines.push(`${nameText(node.name)} = ${this.#call(node, node.name, new Map())}${device}`);
    }
    return lines.reverse();
  }

  /** Whether a node equals the parser's node for an undefined name. */
  #isImplied({ name, op, attr, device, controls }: Node): boolean {
    const isPlain = op === 'Placeholder' && attr.dtype?.type === DataType.DT_FLOAT && Object.keys(attr).length === 1;
    return isPlain && device === '' && controls.length === 0 && this.#graph.dataConsumers(name).length > 0;
  }

  #call(node: Node, scope: string, counts: Map<string, number>): string {
    const shown = this.#shown(node);
    if (node.op === 'Const' && node.tensor) return this.#constant(shown, node.tensor);
    const inputs = shown.inputs.map((ref) => this.#input(ref, scope, counts));
    const args = [...inputs, ...shown.controls.map((name) => `^${nameText(name)}`)];
    if (shown !== node) args.push('...');
    const op = nameText(node.op);
    const attrs = this.#attrs(shown);
    const list = attrs.length > 0 ? `[${attrs.join(', ')}]` : '';
    return args.length > 0 || list === '' ? `${op}(${args.join(', ')})${list}` : `${op}${list}`;
  }

  #shown(node: Node): Shown {
    const isEdge = this.#part && !this.#part.has(node) && node.inputs.length + node.controls.length > 0;
    return isEdge ? { op: node.op, inputs: [], controls: [], attr: node.attr } : node;
  }

  /** A tensor by its name, or its nested producer, if the parser would give that the same name. */
  #input(ref: TensorRef, scope: string, counts: Map<string, number>): string {
    const node = this.#graph.find(ref.node);
    if (node) {
      const count = counts.get(node.op) ?? 0;
      const implied = `${scope}/${node.op}${count === 0 ? '' : `_${count}`}`;
      if (node.name === implied && this.#isReadOnce(node)) {
        counts.set(node.op, count + 1);
        this.#written.add(node.name);
        return this.#call(node, scope, counts) + (ref.port === 0 ? '' : `:${ref.port}`);
      }
    }
    return nameText(ref.node) + (ref.port === 0 ? '' : `:${ref.port}`);
  }

  #isReadOnce(node: Node): boolean {
    if (this.#written.has(node.name) || node.device !== '' || this.#graph.controlConsumers(node.name).length > 0)
      return false;
    const [consumer, ...others] = this.#graph.dataConsumers(node.name);
    return others.length === 0 && consumer!.inputs.filter((ref) => ref.node === node.name).length === 1;
  }

  /** All attrs except for those that the parser fills in. */
  #attrs(shown: Shown): string[] {
    const inferred = inferredTypes(shown, (name) => {
      const node = this.#graph.find(name);
      return node && this.#shown(node);
    });
    const keys = Object.keys({ ...inferred, ...shown.attr }).sort();
    return keys.flatMap((key) => {
      const [own, implied] = [shown.attr[key], inferred[key]].map((value) => value && attrText(key, value));
      if (own === undefined) return [`-${nameText(key)}`];
      if (own === implied) return [];
      return [key === 'dtype' && shown.attr.dtype?.type != null ? own : `${nameText(key)}=${own}`];
    });
  }

  #constant({ attr, controls }: Shown, tensor: Tensor): string {
    const { dtype, shape } = tensor;
    const { dtype: _, ...others } = attr;
    const attrs = this.#attrs({ op: '', inputs: [], controls: [], attr: others });
    const literal = constantText(tensor);
    const isPlain = attrs.length === 0 && controls.length === 0 && !literal.isTyped;
    if (isPlain) return literal.text;
    const typed = [
      ...(literal.isTyped ? [dtypeName(dtype)] : []),
      ...(literal.isShaped ? [`shape=[${shape.join(', ')}]`] : []),
    ];
    const list = [...typed, `value=${literal.text}`, ...attrs].join(', ');
    return `Const${controls.length > 0 ? `(${controls.map((name) => `^${nameText(name)}`).join(', ')})` : ''}[${list}]`;
  }
}
