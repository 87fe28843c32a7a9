import { BnfixError } from '../errors.js';
import { type AttrMap, type AttrValue, attr, attrInt, attrType, attrTypes } from '../graph/attrs.js';
import { DataType } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import type { Node, TensorRef } from '../graph/node.js';
import { numberTensor, protoTensor } from '../graph/tensor.js';
import { outputRange, outputTypes } from '../ops/registry.js';
import type { tensorflow } from '../proto/tensorflow.js';
import type { Pass, PrepareContext, Remark } from './pass.js';

type FunctionDef = tensorflow.FunctionDef.$Properties;

/**
 * Puts the bodies of functions in the place of their calls, and writes If and While as the branches and loops of v1.
 *
 *     given:   def f(x):
 *                r = Relu(x)
 *                return r
 *              y = PartitionedCall(x)[Tin=[float32], Tout=[float32], f=@f]
 *     result:  y/r = Relu(x), y = Identity(y/r)
 *
 * Assumes: no function calls itself. A call keeps its name, so that the tensors of a signature go on answering to it.
 */
export const inlineFunctions: Pass<PrepareContext> = {
  name: 'inline_functions',
  run({ graph }) {
    const library = new Map((graph.header.library?.function ?? []).map((fn) => [fn.signature?.name ?? '', fn]));
    if (library.size === 0) return { changed: [], skipped: [] };
    const inliner = new Inliner(graph, library);
    for (const node of [...graph.nodes()]) inliner.expand(node, []);
    return { changed: inliner.changed, skipped: [] };
  },
};

const CALLS: ReadonlySet<string> = new Set(['PartitionedCall', 'StatefulPartitionedCall']);
const IFS: ReadonlySet<string> = new Set(['If', 'StatelessIf']);
const CASES: ReadonlySet<string> = new Set(['Case', 'StatelessCase']);
const WHILES: ReadonlySet<string> = new Set(['While', 'StatelessWhile']);
const MAX_DEPTH = 64;

type Branch = (inputs: readonly TensorRef[], pivots: readonly string[]) => TensorRef[];

class Inliner {
  readonly changed: Remark[] = [];
  readonly #graph: Graph;
  readonly #library: ReadonlyMap<string, FunctionDef>;

  constructor(graph: Graph, library: ReadonlyMap<string, FunctionDef>) {
    this.#graph = graph;
    this.#library = library;
  }

  /** Replaces a node that calls functions; others stay. `pivots` are the nodes that say that this branch runs. */
  expand(node: Node, pivots: readonly string[], depth = 0): void {
    if (depth > MAX_DEPTH) throw recursive(node);
    let results: readonly TensorRef[] | undefined;
    if (IFS.has(node.op)) results = this.#expandIf(node, pivots, depth);
    else if (CASES.has(node.op)) results = this.#expandCase(node, pivots, depth);
    else if (WHILES.has(node.op)) results = this.#expandWhile(node, pivots, depth);
    else {
      const fn = this.#function(CALLS.has(node.op) ? node.attr.f : { func: { name: node.op } });
      results = fn && this.#inline(node, node.name, fn, node.inputs, pivots, depth);
    }
    if (!results) return;
    this.changed.push({ node: node.name, text: `${node.op} written out` });
    this.#handOn(node, results);
  }

  #function(value: AttrValue | undefined): FunctionDef | undefined {
    return this.#library.get(value?.func?.name ?? '');
  }

  /** Adds the nodes of a function's body under a scope, and returns what the function returns. */
  #inline(
    call: Node,
    scope: string,
    fn: FunctionDef,
    inputs: readonly TensorRef[],
    pivots: readonly string[],
    depth: number,
  ): TensorRef[] {
    const body = fn.node_def ?? [];
    const names = new Map(body.map((def) => [def.name ?? '', this.#graph.freeName(`${scope}/${def.name}`)]));
    const byName = new Map(body.map((def) => [def.name ?? '', def]));
    const args = argumentRefs(call, fn, inputs);
    const resolve = (text: string): TensorRef => {
      const [name, output, index] = text.split(':') as [string, string | undefined, string | undefined];
      const arg = args.get(name);
      if (arg) return arg[Number(output ?? 0)] ?? arg[0]!;
      const def = byName.get(name);
      if (!def) throw broken(fn, text);
      return { node: names.get(name)!, port: this.#port(def, call.attr, output, Number(index ?? 0)) };
    };
    const added: Node[] = [];
    for (const def of body) {
      const refs: TensorRef[] = [];
      const controls: string[] = [];
      for (const text of def.input ?? []) {
        if (!text.startsWith('^')) refs.push(resolve(text));
        else if (names.has(text.slice(1))) controls.push(names.get(text.slice(1))!);
      }
      const { value, ...attrs } = substituted(def.attr ?? {}, call.attr);
      const constant = def.op === 'Const' && value?.tensor ? value.tensor : undefined;
      added.push(
        this.#graph.add({
          name: names.get(def.name ?? '')!,
          op: def.op ?? '',
          device: def.device ?? '',
          inputs: refs,
          // What has no inputs has to be told that it runs only with its branch or loop.
          controls: refs.length === 0 ? [...controls, ...pivots] : controls,
          attr: constant || !value ? attrs : { ...attrs, value },
          ...(constant && { tensor: protoTensor(constant, `${def.name} in ${fn.signature?.name}`) }),
        }),
      );
    }
    const results = (fn.signature?.output_arg ?? []).map((arg) => resolve(fn.ret?.[arg.name ?? ''] ?? ''));
    for (const node of added) this.expand(node, pivots, depth + 1);
    return results;
  }

  /** The port of a named output argument of a node in a function. */
  #port(def: tensorflow.NodeDef.$Properties, callAttrs: AttrMap, output: string | undefined, index: number): number {
    if (output === undefined) return 0;
    const callee = this.#library.get(def.op ?? '');
    if (callee) return (callee.signature?.output_arg ?? []).findIndex((arg) => arg.name === output) + index;
    const range = outputRange({ op: def.op ?? '', attr: substituted(def.attr ?? {}, callAttrs) }, output);
    return (range?.port ?? 0) + index;
  }

  #expandIf(node: Node, pivots: readonly string[], depth: number): TensorRef[] | undefined {
    const [thenFn, elseFn] = [this.#function(node.attr.then_branch), this.#function(node.attr.else_branch)];
    const condition = node.inputs[0];
    if (!thenFn || !elseFn || !condition) return undefined;
    const pred = this.#asBool(node, condition, attrType(node, 'Tcond') ?? DataType.DT_BOOL);
    const branch = (fn: FunctionDef, scope: string) => (inputs: readonly TensorRef[], inner: readonly string[]) =>
      this.#inline(node, `${node.name}/${scope}`, fn, inputs, inner, depth);
    return this.#choose(node, pred, node.inputs.slice(1), pivots, branch(elseFn, 'else'), branch(thenFn, 'then'));
  }

  /** A Case is an If on its first branch whose other branch is the Case on the rest; the last one takes what is left. */
  #expandCase(node: Node, pivots: readonly string[], depth: number): TensorRef[] | undefined {
    const branches = (node.attr.branches?.list?.func ?? []).map((func) => this.#function({ func }));
    const index = node.inputs[0];
    if (!index || branches.length === 0 || branches.includes(undefined)) return undefined;
    const from =
      (at: number) =>
      (inputs: readonly TensorRef[], inner: readonly string[]): TensorRef[] => {
        const taken = (given: readonly TensorRef[], within: readonly string[]) =>
          this.#inline(node, `${node.name}/branch${at}`, branches[at]!, given, within, depth);
        if (at === branches.length - 1) return taken(inputs, inner);
        const pred = this.#isIndex(node, index, at, inner);
        return this.#choose(node, pred, inputs, inner, from(at + 1), taken);
      };
    return from(0)(node.inputs.slice(1), pivots);
  }

  #isIndex(node: Node, index: TensorRef, value: number, pivots: readonly string[]): TensorRef {
    const T = attr.type(DataType.DT_INT32);
    const constant = this.#graph.add({
      name: this.#graph.freeName(`${node.name}/index`),
      op: 'Const',
      controls: pivots,
      tensor: numberTensor(DataType.DT_INT32, [], [value]),
      attr: { dtype: T },
    });
    return this.#adder(node.name)('Equal', [index, { node: constant.name, port: 0 }], { T });
  }

  /** Two branches on a condition, as Switch and Merge. */
  #choose(
    node: Node,
    pred: TensorRef,
    inputs: readonly TensorRef[],
    pivots: readonly string[],
    whenOff: Branch,
    whenOn: Branch,
  ): TensorRef[] {
    const types = attrTypes(node, 'Tin') ?? [];
    const add = this.#adder(node.name);
    const bool = { T: attr.type(DataType.DT_BOOL) };
    const gate = add('Switch', [pred, pred], bool);
    const switches = inputs.map((ref, i) => add('Switch', [ref, pred], { T: attr.type(types[i]!) }));
    const [off, on] = [whenOff, whenOn].map((branch, port) => {
      const pivot = add('Identity', [{ node: gate.node, port }], bool);
      return branch(
        switches.map((ref) => ({ node: ref.node, port })),
        [...pivots, pivot.node],
      );
    }) as [TensorRef[], TensorRef[]];
    return (attrTypes(node, 'Tout') ?? []).map((type, i) =>
      add('Merge', [off[i]!, on[i]!], { T: attr.type(type), N: attr.int(2) }),
    );
  }

  #asBool(node: Node, condition: TensorRef, type: DataType): TensorRef {
    if (type === DataType.DT_BOOL) return condition;
    const attrs = { SrcT: attr.type(type), DstT: attr.type(DataType.DT_BOOL) };
    return this.#adder(node.name)('Cast', [condition], attrs);
  }

  #expandWhile(node: Node, pivots: readonly string[], depth: number): TensorRef[] | undefined {
    const [condition, body] = [this.#function(node.attr.cond), this.#function(node.attr.body)];
    if (!condition || !body) return undefined;
    const graph = this.#graph;
    const add = this.#adder(node.name);
    const types = attrTypes(node, 'T') ?? [];
    const constant = invariants(body);
    const frame = {
      frame_name: attr.string(node.name),
      parallel_iterations: attr.int(attrInt(node, 'parallel_iterations') ?? 10),
    };
    const T = types.map((type) => ({ T: attr.type(type) }));
    const entered = node.inputs.map((ref, i) =>
      add('Enter', [ref], { ...T[i]!, ...frame, is_constant: attr.bool(constant.has(i)) }),
    );
    const merged = entered.map((ref, i) =>
      constant.has(i) ? ref : add('Merge', [ref, ref], { ...T[i]!, N: attr.int(2) }),
    );
    const first = merged.find((_, i) => !constant.has(i));
    if (!first) return undefined;
    const [goesOn] = this.#inline(node, `${node.name}/cond`, condition, merged, [...pivots, first.node], depth);
    const loopCond = add('LoopCond', [goesOn!], {});
    const switched = merged.map((ref, i) => (constant.has(i) ? ref : add('Switch', [ref, loopCond], T[i]!)));
    const turns = switched.map((ref, i) =>
      constant.has(i) ? ref : add('Identity', [{ node: ref.node, port: 1 }], T[i]!),
    );
    const pivot = turns.find((_, i) => !constant.has(i))!;
    const next = this.#inline(node, `${node.name}/body`, body, turns, [...pivots, pivot.node], depth);
    return types.map((_, i) => {
      if (constant.has(i)) return node.inputs[i]!;
      const again = add('NextIteration', [next[i]!], T[i]!);
      graph.setInput(graph.get(merged[i]!.node), 1, again);
      return add('Exit', [switched[i]!], T[i]!);
    });
  }

  #adder(scope: string): (op: string, inputs: readonly TensorRef[], attrs: AttrMap) => TensorRef {
    return (op, inputs, attrs) => {
      const { name } = this.#graph.add({ name: this.#graph.freeName(`${scope}/${op}`), op, inputs, attr: attrs });
      return { node: name, port: 0 };
    };
  }

  /** Makes the call a name for its results. */
  #handOn(node: Node, results: readonly TensorRef[]): void {
    const graph = this.#graph;
    const types =
      outputTypes(node) ?? results.map((ref) => outputTypes(graph.get(ref.node))?.[ref.port] ?? DataType.DT_INVALID);
    // Of several results, consumers read each itself; the call stays beside as a name for them.
    if (results.length > 1) {
      for (const [port, ref] of results.entries()) graph.replaceUses({ node: node.name, port }, ref);
    }
    if (results.length === 0) {
      graph.replace(node, { op: 'NoOp' });
      return;
    }
    const single = results.length === 1;
    graph.replace(node, {
      op: single ? 'Identity' : 'IdentityN',
      inputs: results,
      attr: { T: single ? attr.type(types[0]!) : { list: { type: [...types] } } },
    });
  }
}

/** Argument name -> the tensors that are given for it. */
function argumentRefs(call: Node, fn: FunctionDef, inputs: readonly TensorRef[]): Map<string, TensorRef[]> {
  const args = new Map<string, TensorRef[]>();
  let next = 0;
  for (const arg of fn.signature?.input_arg ?? []) {
    const listed = arg.type_list_attr ? (attrTypes(call, arg.type_list_attr)?.length ?? 1) : 1;
    const count = arg.number_attr ? (attrInt(call, arg.number_attr) ?? 1) : listed;
    args.set(arg.name ?? '', inputs.slice(next, next + count) as TensorRef[]);
    next += count;
  }
  return args;
}

/** Attrs of a node in a function, with those of the call in the place of `$name`. */
function substituted(attrs: AttrMap, callAttrs: AttrMap): Record<string, AttrValue> {
  return Object.fromEntries(
    Object.entries(attrs).map(([key, value]) => [
      key,
      (value.placeholder ? callAttrs[value.placeholder] : undefined) ?? value,
    ]),
  );
}

/** Indices of the loop variables that a body returns as it was given them. */
function invariants(body: FunctionDef): Set<number> {
  const inputs = body.signature?.input_arg ?? [];
  const found = new Set<number>();
  for (const [i, output] of (body.signature?.output_arg ?? []).entries()) {
    if (isPassedOn(body, body.ret?.[output.name ?? ''] ?? '', inputs[i]?.name ?? '')) found.add(i);
  }
  return found;
}

function isPassedOn(body: FunctionDef, text: string, arg: string): boolean {
  let at = text;
  for (let step = 0; step < 20; step++) {
    const [name, output] = at.split(':') as [string, string | undefined];
    if (name === arg && (output === undefined || /^\d+$/.test(output))) return true;
    const node = (body.node_def ?? []).find((def) => def.name === name);
    if (node?.op !== 'Identity' || !node.input?.[0]) return false;
    at = node.input[0];
  }
  return false;
}

function broken(fn: FunctionDef, text: string): BnfixError {
  return new BnfixError('unreadable', `the function ${fn.signature?.name} reads ${text}, which it does not have`, {
    where: fn.signature?.name ?? undefined,
    fix: 'the graph file is damaged: save it again',
  });
}

function recursive(node: Node): BnfixError {
  return new BnfixError('unsupported', `${node.name} calls a function that calls itself`, {
    where: node.name,
    why: `functions are nested more than ${MAX_DEPTH} deep`,
    fix: 'choose --outputs that do not need it',
  });
}
