import { BnfixError } from '../errors.js';
import { attr } from '../graph/attrs.js';
import type { DataType } from '../graph/dtype.js';
import { Graph } from '../graph/graph.js';
import type { TensorRef } from '../graph/node.js';
import { addBody, type FunctionLibrary } from '../ops/functions.js';

/** A function as a graph of its own. */
export interface FunctionGraph {
  readonly graph: Graph;
  /** Placeholders of its arguments, in order. */
  readonly args: readonly { readonly name: string; readonly type: DataType }[];
  readonly results: readonly TensorRef[];
}

/**
 * A function that an attr names, as its own graph, with nodes named `prefix` + name.
 * @throws BnfixError `unsupported` when it takes a list of tensors
 */
export function functionGraph(library: FunctionLibrary, name: string, prefix: string): FunctionGraph {
  const body = library.bodyOf({ name, attr: {} });
  const args = body.args.map((arg) => {
    if (arg.count === 1 && arg.type !== undefined) return { name: prefix + arg.name, type: arg.type };
    throw new BnfixError('unsupported', `the function ${name} takes a list of tensors`, { where: prefix });
  });
  const placeholders = args.map(({ name, type }) => ({ name, op: 'Placeholder', attr: { dtype: attr.type(type) } }));
  const graph = new Graph(placeholders);
  const inputs = args.map(({ name }) => ({ node: name, port: 0 }));
  const { results } = addBody(graph, body, inputs, (node) => prefix + node);
  return { graph, args, results };
}

/**
 * Inlines function calls until none remain.
 * @throws BnfixError `unsupported` when a function calls itself
 */
export function inlineCalls(graph: Graph, library: FunctionLibrary): void {
  const waiting = Array.from(graph.nodes(), (call) => ({ call, within: [] as readonly string[] }));
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { call, within } = next;
    const called = library.calledBy(call);
    if (!called) continue;
    const { name } = call;
    if (within.includes(called.name)) {
      throw new BnfixError('unsupported', `${name} calls a function that calls itself`, { where: name });
    }
    const { nodes, results } = addBody(graph, library.bodyOf(called), call.inputs, (node) =>
      graph.freeName(`${name}/${node}`),
    );
    for (const node of nodes) waiting.push({ call: node, within: [...within, called.name] });
    results.forEach((ref, port) => {
      graph.replaceUses({ node: name, port }, ref);
    });
    for (const waits of graph.controlConsumers(name)) {
      const others = waits.controls.filter((control) => control !== name);
      graph.setControls(waits, others);
    }
    graph.remove(name);
  }
}

/** Functions that nodes of the graph name in an attr (branches, bodies of loops), each once. */
export function namedFunctions(graph: Graph): string[] {
  const names = new Set<string>();
  for (const node of graph.nodes()) {
    for (const value of Object.values(node.attr)) if (value.func?.name) names.add(value.func.name);
  }
  return [...names];
}
