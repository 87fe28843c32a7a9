import { BnfixError } from '../errors.js';
import { type AttrMap, type AttrValue, attr } from '../graph/attrs.js';
import type { DataType } from '../graph/dtype.js';
import { Graph } from '../graph/graph.js';
import type { TensorRef } from '../graph/node.js';
import { outputRange } from '../ops/registry.js';
import type { tensorflow } from '../proto/tensorflow.js';
import { nodeSpec } from '../readers/graph_def.js';

type FunctionDef = tensorflow.FunctionDef.$Properties;

/** A function of the library as a graph of its own. */
export interface FunctionBody {
  readonly graph: Graph;
  /** Placeholders of its arguments, in order. */
  readonly args: readonly { readonly name: string; readonly type: DataType }[];
  readonly results: readonly TensorRef[];
}

/** The functions of a graph by name. */
export type Library = ReadonlyMap<string, FunctionDef>;

export function libraryOf(graph: Graph): Library {
  return new Map((graph.header.library?.function ?? []).map((fn) => [fn.signature?.name ?? '', fn]));
}

/**
 * The body of a function, its nodes named `prefix` + name.
 * @param callAttr - attrs of the calling node, which a body may refer to
 */
export function functionBody(library: Library, name: string, prefix: string, callAttr: AttrMap): FunctionBody {
  const fn = library.get(name);
  if (!fn?.signature) {
    throw new BnfixError('unreadable', `there is no function ${name} in the graph`, { where: prefix });
  }
  const attrs: AttrMap = { ...fn.attr, ...callAttr };
  const args = (fn.signature.input_arg ?? []).map((arg) => {
    const declared = arg.type_attr ? attrs[arg.type_attr]?.type : arg.type;
    if (arg.number_attr || arg.type_list_attr || declared == null) {
      throw new BnfixError('unsupported', `the function ${name} takes a list of tensors`, { where: prefix });
    }
    return { name: prefix + (arg.name ?? ''), type: declared as DataType };
  });
  const graph = new Graph(
    args.map(({ name, type }) => ({ name, op: 'Placeholder', attr: { dtype: attr.type(type) } })),
  );
  const ops = new Map((fn.node_def ?? []).map((node) => [node.name ?? '', node]));
  const refOf = (text: string): TensorRef => {
    const [node = '', out, index] = text.split(':');
    const def = ops.get(node);
    if (!def || out === undefined) return { node: prefix + node, port: 0 };
    return { node: prefix + node, port: firstPort(library, def, out) + Number(index ?? 0) };
  };
  for (const def of fn.node_def ?? []) {
    const spec = nodeSpec({ ...def, input: [] }, name);
    const inputs = (def.input ?? []).filter((text) => !text.startsWith('^')).map(refOf);
    const controls = (def.input ?? [])
      .filter((text) => text.startsWith('^'))
      .map((text) => prefix + text.slice(1))
      .filter((text) => !args.some((arg) => arg.name === text));
    graph.add({ ...spec, name: prefix + spec.name, inputs, controls, attr: instantiated(spec.attr ?? {}, attrs) });
  }
  const results = (fn.signature.output_arg ?? []).map((out) => refOf(fn.ret?.[out.name ?? ''] ?? ''));
  return { graph, args, results };
}

/** Port of the first tensor of a named output. */
function firstPort(library: Library, def: tensorflow.NodeDef.$Properties, out: string): number {
  const called = library.get(def.op ?? '');
  if (called) return (called.signature?.output_arg ?? []).findIndex((arg) => arg.name === out);
  const range = outputRange({ op: def.op ?? '', attr: def.attr ?? {} }, out);
  return range?.port ?? 0;
}

function instantiated(own: AttrMap, attrs: AttrMap): AttrMap {
  const result: Record<string, AttrValue> = {};
  for (const [key, value] of Object.entries(own)) {
    const filled = value.placeholder ? attrs[value.placeholder] : value;
    if (filled) result[key] = filled;
  }
  return result;
}

/** The function that a node calls as a whole; undefined for others. */
function calledBy(library: Library, op: string, attrs: AttrMap): string | undefined {
  if (library.has(op)) return op;
  if (op === 'PartitionedCall' || op === 'StatefulPartitionedCall') return attrs.f?.func?.name ?? undefined;
  return undefined;
}

/** Puts the bodies of called functions in place of the calls, until none is left. */
export function inlineCalls(graph: Graph, library: Library): void {
  const waiting = [...graph.nodes()];
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    const call = node;
    const name = calledBy(library, call.op, call.attr);
    if (name === undefined) continue;
    const callAttr = call.attr.f?.func?.attr ?? call.attr;
    const body = functionBody(library, name, `${graph.freeName(`${call.name}/${name}`)}/`, callAttr);
    for (const spec of body.graph.nodes()) {
      const at = body.args.findIndex((arg) => arg.name === spec.name);
      // An argument is what the call was given.
      const added =
        at < 0 ? graph.add(spec) : graph.add({ name: spec.name, op: 'Identity', inputs: [call.inputs[at]!] });
      waiting.push(added);
    }
    body.results.forEach((ref, port) => {
      graph.replaceUses({ node: call.name, port }, ref);
    });
    for (const waits of graph.controlConsumers(call.name)) {
      graph.setControls(
        waits,
        waits.controls.filter((control) => control !== call.name),
      );
    }
    graph.remove(call.name);
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
