import { BnfixError } from '../errors.js';
import { type AttrMap, type AttrValue, attrInt, attrType, attrTypes } from '../graph/attrs.js';
import { corruptGraph } from '../graph/corrupt_graph.js';
import type { DataType } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import type { Node, NodeSpec, TensorRef } from '../graph/node.js';
import { protoTensor } from '../graph/tensor.js';
import { refuseInvalidAttrs } from '../graph/valid_attrs.js';
import type { tensorflow } from '../proto/tensorflow.js';
import { anyOf } from './meaning.js';
import { opInfo, outputRange } from './registry.js';

type FunctionDef = tensorflow.FunctionDef.$Properties;
type NodeDef = tensorflow.NodeDef.$Properties;

/** A function as an attr names it: `f` of a PartitionedCall, `then_branch` of an If. */
export interface FunctionName {
  readonly name: string;
  /** Attrs that its body refers to, as in `$T`. */
  readonly attr: AttrMap;
}

/** An argument of a function: one tensor, or a list of them. */
export interface FunctionArg {
  readonly name: string;
  readonly count: number;
  /** Undefined for a list of several types. */
  readonly type: DataType | undefined;
}

/** A function as instantiated by one call, with edges parsed and attrs filled in. */
export interface FunctionBody {
  readonly name: string;
  readonly args: readonly FunctionArg[];
  /** An input is an output of another node of the body, or a tensor of an argument: `{ node: 'x', port: 1 }`. */
  readonly nodes: readonly NodeSpec[];
  readonly results: readonly TensorRef[];
}

const isCall = anyOf('call');

/** The functions of a graph (FunctionDefLibrary), by name. */
export class FunctionLibrary {
  readonly #defs: ReadonlyMap<string, FunctionDef>;

  constructor({ header }: Graph) {
    this.#defs = new Map((header.library?.function ?? []).map((fn) => [fn.signature?.name ?? '', fn]));
  }

  get size(): number {
    return this.#defs.size;
  }

  /** Number of nodes of all functions. */
  get nodeCount(): number {
    let count = 0;
    for (const { node_def } of this.#defs.values()) count += node_def?.length ?? 0;
    return count;
  }

  /** Whether the graph has a function of this name. */
  has(name: string): boolean {
    return this.#defs.has(name);
  }

  /** The function that an attr of a node names; undefined if the graph does not have it. */
  namedBy(node: Node, key: string): FunctionName | undefined {
    return this.#known(node, node.attr[key]);
  }

  /** The functions that a list attr of a node names; undefined if the graph lacks one of them. */
  listedBy(node: Node, key: string): FunctionName[] | undefined {
    const names = (node.attr[key]?.list?.func ?? []).map((func) => this.#known(node, { func }));
    return names.every((name) => name !== undefined) ? names : undefined;
  }

  /** The function that a node is a call of: by its op's name, or by the attr `f` of a PartitionedCall. */
  calledBy(node: Node): FunctionName | undefined {
    if (isCall(node)) return this.namedBy(node, 'f');
    return this.#defs.has(node.op) ? { name: node.op, attr: node.attr } : undefined;
  }

  #known(node: Node, value: AttrValue | undefined): FunctionName | undefined {
    const name = value?.func?.name ?? '';
    return this.#defs.has(name) ? { name, attr: { ...node.attr, ...value?.func?.attr } } : undefined;
  }

  /**
   * The body of a function for one call.
   * @throws BnfixError `unreadable` when the graph does not have the function, or when the function reads undefined tensors
   */
  bodyOf({ name, attr }: FunctionName): FunctionBody {
    const fn = this.#defs.get(name);
    if (!fn) throw new BnfixError('unreadable', `function ${name} not found in the graph`, { where: name });
    const attrs: AttrMap = { ...fn.attr, ...attr };
    const args = (fn.signature?.input_arg ?? []).map((arg) => argOf(name, arg, attrs));
    const edges = new BodyEdges(this.#defs, fn, args, attrs);
    const ret = new Map(Object.entries(fn.ret ?? {}));
    return {
      name,
      args,
      nodes: (fn.node_def ?? []).map((def) => specOf(name, def, attrs, edges)),
      results: (fn.signature?.output_arg ?? []).map((arg) => edges.tensor(ret.get(arg.name ?? '') ?? '')),
    };
  }
}

/** The edges of a function's body, as FunctionDefs write them: `argument`, `node:output:index`, `^node`. */
class BodyEdges {
  readonly #library: ReadonlyMap<string, FunctionDef>;
  readonly #fn: FunctionDef;
  readonly #args: ReadonlySet<string>;
  readonly #nodes: ReadonlyMap<string, NodeDef>;
  readonly #attrs: AttrMap;

  constructor(
    library: ReadonlyMap<string, FunctionDef>,
    fn: FunctionDef,
    args: readonly FunctionArg[],
    attrs: AttrMap,
  ) {
    this.#library = library;
    this.#fn = fn;
    this.#args = new Set(args.map(({ name }) => name));
    this.#nodes = new Map((fn.node_def ?? []).map((def) => [def.name ?? '', def]));
    this.#attrs = attrs;
  }

  tensor(text: string): TensorRef {
    const [node, output, index] = text.split(':') as [string, string | undefined, string | undefined];
    if (this.#args.has(node)) return { node, port: this.#index(output, text) };
    const def = this.#nodes.get(node);
    const first = def && (output === undefined ? 0 : this.#firstPort(def, output));
    if (first === undefined) throw broken(this.#fn, text);
    return { node, port: first + this.#index(index, text) };
  }

  #index(digits: string | undefined, text: string): number {
    if (digits === undefined) return 0;
    if (/^\d+$/.test(digits)) return Number(digits);
    throw broken(this.#fn, text);
  }

  /** Undefined for an argument, which exists before anything runs. */
  control(text: string): string | undefined {
    if (this.#nodes.has(text)) return text;
    if (this.#args.has(text)) return undefined;
    throw broken(this.#fn, `^${text}`);
  }

  /**
   * The first port of a named output; undefined if the op does not have it. The only output may have any name: a frozen
   * function reads `value` of a ReadVariableOp that is an Identity now. Custom ops are taken to have one output.
   */
  #firstPort(def: NodeDef, output: string): number | undefined {
    const op = def.op ?? '';
    const callee = this.#library.get(op);
    if (callee) {
      const port = (callee.signature?.output_arg ?? []).findIndex((arg) => arg.name === output);
      return port < 0 ? undefined : port;
    }
    if ((opInfo(op)?.outputs.length ?? 1) === 1) return 0;
    return outputRange({ op, attr: filledIn(def.attr ?? {}, this.#attrs) }, output)?.port;
  }
}

function argOf(fn: string, arg: tensorflow.OpDef.ArgDef.$Properties, attrs: AttrMap): FunctionArg {
  const node = { attr: attrs };
  const declared = arg.type_attr ? attrType(node, arg.type_attr) : arg.type;
  const type = arg.type_list_attr ? undefined : ((declared ?? undefined) as DataType | undefined);
  const listed = arg.type_list_attr ? (attrTypes(node, arg.type_list_attr)?.length ?? 1) : 1;
  const count = arg.number_attr ? (attrInt(node, arg.number_attr) ?? 1) : listed;
  if (!(count >= 0)) throw corruptGraph(fn, `the function ${fn} has ${count} tensors as its argument ${arg.name}`);
  return { name: arg.name ?? '', count, type };
}

function specOf(fn: string, def: NodeDef, attrs: AttrMap, edges: BodyEdges): NodeSpec {
  const inputs: TensorRef[] = [];
  const controls: string[] = [];
  for (const text of def.input ?? []) {
    if (!text.startsWith('^')) {
      if (controls.length > 0) {
        throw corruptGraph(fn, `${def.name} in the function ${fn} reads ${text} after a control input`);
      }
      inputs.push(edges.tensor(text));
    } else {
      const control = edges.control(text.slice(1));
      if (control !== undefined) controls.push(control);
    }
  }
  const own = filledIn(def.attr ?? {}, attrs);
  refuseInvalidAttrs(own, `${def.name} (${def.op})`, fn);
  const { value, ...others } = own;
  const constant = def.op === 'Const' ? value?.tensor : undefined;
  return {
    name: def.name ?? '',
    op: def.op ?? '',
    device: def.device ?? '',
    inputs,
    controls,
    attr: constant ? others : own,
    ...(constant && { tensor: protoTensor(constant, `${def.name} in ${fn}`) }),
  };
}

/** Attrs of a node in a function, with `$name` replaced by the attr of the call. */
function filledIn(own: AttrMap, attrs: AttrMap): AttrMap {
  const filled = Object.entries(own).map(([key, value]) => {
    const name = value.placeholder ?? '';
    return [key, (Object.hasOwn(attrs, name) ? attrs[name] : undefined) ?? value];
  });
  return Object.fromEntries(filled);
}

/**
 * Adds the nodes of a function's body to a graph.
 *
 * @param inputs - the tensors that the call passes, in the order of the arguments
 * @param nameOf - the name in the graph of a node of the body
 * @returns the nodes that were added, and the tensors that the function returns
 */
export function addBody(
  graph: Graph,
  { name, args, nodes, results }: FunctionBody,
  inputs: readonly TensorRef[],
  nameOf: (name: string) => string,
): { nodes: Node[]; results: TensorRef[] } {
  const names = new Map(nodes.map((node) => [node.name, nameOf(node.name)]));
  const given = new Map<string, readonly TensorRef[]>();
  let next = 0;
  for (const arg of args) {
    given.set(arg.name, inputs.slice(next, next + arg.count));
    next += arg.count;
  }
  const refOf = ({ node, port }: TensorRef): TensorRef => {
    const own = names.get(node);
    if (own !== undefined) return { node: own, port };
    const ref = given.get(node)?.[port];
    if (ref) return ref;
    throw new BnfixError('unreadable', `a call of the function ${name} passes too few tensors`, {
      where: name,
      why: `it passes ${inputs.length}, and the argument ${node} takes number ${port}`,
    });
  };
  const added = nodes.map((node) =>
    graph.add({
      ...node,
      name: names.get(node.name)!,
      inputs: (node.inputs ?? []).map(refOf),
      controls: (node.controls ?? []).map((control) => names.get(control)!),
    }),
  );
  return { nodes: added, results: results.map(refOf) };
}

function broken(fn: FunctionDef, text: string): BnfixError {
  const name = fn.signature?.name ?? '';
  return corruptGraph(name, `the function ${name} reads ${text}, which it does not define`);
}
