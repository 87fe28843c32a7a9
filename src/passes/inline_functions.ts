import { BnfixError } from '../errors.js';
import { type AttrMap, attr, attrInt, attrType, attrTypes } from '../graph/attrs.js';
import { corruptGraph } from '../graph/corrupt_graph.js';
import { DataType } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import { type Node, refText, type TensorRef } from '../graph/node.js';
import { numberTensor } from '../graph/tensor.js';
import { addBody, type FunctionBody, FunctionLibrary, type FunctionName } from '../ops/functions.js';
import { anyOf } from '../ops/meaning.js';
import { outputType } from '../ops/registry.js';
import { refuseInvalidGraph, refuseInvalidNode } from '../ops/valid_graph.js';
import type { Outcome } from './outcome.js';
import type { Pass } from './pass.js';

/**
 * Inlines functions: calls become the body of the function; If, Case and While become TensorFlow 1 branches and loops.
 *
 *     given:   def f(x):
 *                r = Relu(x)
 *                return r
 *              y = PartitionedCall(x)[Tin=[float32], Tout=[float32], f=@f]
 *     result:  y/r = Relu(x), y = Identity(y/r)
 *
 * Assumes: no function calls itself, and the result is not vastly larger than the graph. The name of a call is kept, so that
 * the tensors of a signature keep theirs.
 */
export const inlineFunctions: Pass<unknown> = {
  name: 'inline_functions',
  run({ graph }) {
    const library = new FunctionLibrary(graph);
    if (library.size === 0) return { outcomes: [] };
    const inliner = new Inliner(graph, library);
    for (const node of [...graph.nodes()]) inliner.expand(node, []);
    if (inliner.outcomes.length > 0) refuseInvalidGraph(graph);
    return { outcomes: inliner.outcomes };
  },
};

const isIf = anyOf('if');
const isCase = anyOf('case');
const isWhile = anyOf('while');

/** Adds one branch to the graph, for the given input tensors, and returns its results. */
type Branch = (inputs: readonly TensorRef[], pivots: readonly string[]) => TensorRef[];

/** Functions in functions, and branches of a Case. */
const MAX_DEPTH = 256;
/** By how many times inlining may multiply the nodes of a graph and of its functions, plus a number for small graphs. */
const MAX_GROWTH = 20;
const ALWAYS_ALLOWED = 50_000;
/** What takes as much memory as a node. */
const [NAME_LENGTH, CONTROLS] = [64, 8];

class Inliner {
  readonly outcomes: Outcome[] = [];
  readonly #graph: Graph;
  readonly #library: FunctionLibrary;
  /** The stack of functions that are being inlined. */
  readonly #open = new Set<string>();
  /** How much more may be added, in nodes. */
  #room: number;
  #depth = 0;

  constructor(graph: Graph, library: FunctionLibrary) {
    this.#graph = graph;
    this.#library = library;
    this.#room = ALWAYS_ALLOWED + MAX_GROWTH * (graph.size + library.nodeCount);
  }

  /**
   * Replaces a node that calls functions; others stay. `pivots` are the nodes that run only when this branch does, or once in each
   * iteration of this loop; so do the nodes that the call itself waits for, in a branch of TensorFlow 1.
   */
  expand(node: Node, pivots: readonly string[]): void {
    const results = this.#resultsOf(node, [...new Set([...pivots, ...node.controls])]);
    if (!results) return;
    this.outcomes.push({ kind: 'function', node: node.name, op: node.op });
    this.#forward(node, results);
  }

  #resultsOf(node: Node, pivots: readonly string[]): TensorRef[] | undefined {
    if (isIf(node)) return this.#expandIf(node, pivots);
    if (isCase(node)) return this.#expandCase(node, pivots);
    if (isWhile(node)) return this.#expandWhile(node);
    const called = this.#library.calledBy(node);
    return called && this.#inline(node, node.name, called, node.inputs, pivots);
  }

  /** Adds the nodes of a function's body under a scope, and returns what the function returns. */
  #inline(
    call: Node,
    scope: string,
    called: FunctionName,
    inputs: readonly TensorRef[],
    pivots: readonly string[],
  ): TensorRef[] {
    return this.#add(call, scope, this.#library.bodyOf(called), inputs, pivots);
  }

  #add(
    call: Node,
    scope: string,
    body: FunctionBody,
    inputs: readonly TensorRef[],
    pivots: readonly string[],
  ): TensorRef[] {
    const graph = this.#graph;
    if (this.#open.has(body.name)) throw recursive(call, [...this.#open, body.name]);
    this.#open.add(body.name);
    this.#enter(call);
    for (const { name, inputs: own } of body.nodes) {
      const controls = own?.length === 0 ? pivots.length : 0;
      this.#room -= 1 + (scope.length + name.length) / NAME_LENGTH + controls / CONTROLS;
    }
    if (this.#room < 0) throw tooLarge(call);
    const { nodes, results } = addBody(graph, body, inputs, (name) => graph.freeName(`${scope}/${name}`));
    for (const node of nodes) {
      refuseInvalidNode(node);
      // Without inputs, only this control edge ties it to its branch or loop.
      if (node.inputs.length === 0 && pivots.length > 0) graph.setControls(node, [...node.controls, ...pivots]);
    }
    for (const node of nodes) this.expand(node, pivots);
    this.#open.delete(body.name);
    this.#depth--;
    return results;
  }

  #enter(call: Node): void {
    if (++this.#depth > MAX_DEPTH) throw tooDeep(call);
  }

  #expandIf(node: Node, pivots: readonly string[]): TensorRef[] | undefined {
    const [whenOn, whenOff] = ['then_branch', 'else_branch'].map((key) => this.#library.namedBy(node, key));
    const condition = node.inputs[0];
    const type = attrType(node, 'Tcond') ?? DataType.DT_BOOL;
    // A string is true unless it is empty: no op of TensorFlow 1 tests that.
    if (!whenOn || !whenOff || !condition || type === DataType.DT_STRING) return undefined;
    const pred = this.#asBool(node, condition, type);
    const branch = (called: FunctionName, scope: string) => (inputs: readonly TensorRef[], inner: readonly string[]) =>
      this.#inline(node, `${node.name}/${scope}`, called, inputs, inner);
    return this.#choose(node, pred, node.inputs.slice(1), pivots, branch(whenOff, 'else'), branch(whenOn, 'then'));
  }

  /** A Case is an If on its first branch, with a Case on the rest as the other branch; the last branch is the default. */
  #expandCase(node: Node, pivots: readonly string[]): TensorRef[] | undefined {
    const branches = this.#library.listedBy(node, 'branches');
    const index = node.inputs[0];
    if (!index || !branches || branches.length === 0) return undefined;
    const from =
      (at: number) =>
      (inputs: readonly TensorRef[], inner: readonly string[]): TensorRef[] => {
        const taken = (given: readonly TensorRef[], within: readonly string[]) =>
          this.#inline(node, `${node.name}/branch${at}`, branches[at]!, given, within);
        if (at === branches.length - 1) return taken(inputs, inner);
        this.#enter(node);
        const pred = this.#isIndex(node, index, at, inner);
        const results = this.#choose(node, pred, inputs, inner, from(at + 1), taken);
        this.#depth--;
        return results;
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
    const results = attrTypes(node, 'Tout') ?? [];
    for (const branch of [off, on]) expectResults(node, branch, results.length);
    return results.map((type, i) => add('Merge', [off[i]!, on[i]!], { T: attr.type(type), N: attr.int(2) }));
  }

  #asBool(node: Node, condition: TensorRef, type: DataType): TensorRef {
    if (type === DataType.DT_BOOL) return condition;
    const attrs = { SrcT: attr.type(type), DstT: attr.type(DataType.DT_BOOL) };
    return this.#adder(node.name)('Cast', [condition], attrs);
  }

  #expandWhile(node: Node): TensorRef[] | undefined {
    const [condition, called] = ['cond', 'body'].map((key) => this.#library.namedBy(node, key));
    if (!condition || !called) return undefined;
    const body = this.#library.bodyOf(called);
    const graph = this.#graph;
    const add = this.#adder(node.name);
    const types = attrTypes(node, 'T') ?? [];
    const constant = invariantsOf(body);
    // Without variables, nothing starts an iteration.
    if (constant.size === types.length) return undefined;
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
    // Control edges do not cross the borders of loops. The branch that a loop is in gives the loop its inputs.
    const first = merged.find((_, i) => !constant.has(i))!;
    const [goesOn] = this.#inline(node, `${node.name}/cond`, condition, merged, [first.node]);
    expectResults(node, goesOn ? [goesOn] : [], 1);
    const loopCond = add('LoopCond', [goesOn!], {});
    const switched = merged.map((ref, i) => (constant.has(i) ? ref : add('Switch', [ref, loopCond], T[i]!)));
    const turns = switched.map((ref, i) =>
      constant.has(i) ? ref : add('Identity', [{ node: ref.node, port: 1 }], T[i]!),
    );
    const pivot = turns.find((_, i) => !constant.has(i))!;
    const next = this.#add(node, `${node.name}/body`, body, turns, [pivot.node]);
    expectResults(node, next, types.length);
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

  /** Turns the call into a node that forwards its results under its name. */
  #forward(node: Node, results: readonly TensorRef[]): void {
    const graph = this.#graph;
    const types = results.map(
      (ref, port) => outputType(node, port) ?? outputType(graph.get(ref.node), ref.port) ?? DataType.DT_INVALID,
    );
    // With several results, consumers read them directly; the call stays for its name.
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

/** Indices of the loop variables that a body returns unchanged. */
function invariantsOf({ args, nodes, results }: FunctionBody): Set<number> {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const source = (ref: TensorRef): string => {
    const seen = new Set<string>();
    let at = ref;
    for (let node = byName.get(at.node); node?.op === 'Identity' && node.inputs?.[0]; node = byName.get(at.node)) {
      if (seen.has(node.name)) break;
      seen.add(node.name);
      at = node.inputs[0];
    }
    return refText(at);
  };
  return new Set(results.flatMap((ref, i) => (source(ref) === args[i]?.name ? [i] : [])));
}

function expectResults(call: Node, results: readonly TensorRef[], count: number): void {
  if (results.length === count) return;
  const message = `a function that ${call.name} (${call.op}) calls returns ${results.length} tensors, but must return ${count}`;
  throw corruptGraph(call.name, message);
}

function tooDeep(node: Node): BnfixError {
  return new BnfixError('unsupported', `${node.name} calls functions that call each other ${MAX_DEPTH} levels deep`, {
    where: node.name,
    fix: FIX,
  });
}

function tooLarge(node: Node): BnfixError {
  return new BnfixError(
    'unsupported',
    `${node.name} calls functions that would make the graph ${MAX_GROWTH} times larger`,
    {
      where: node.name,
      why: 'every call of a function becomes a copy of its nodes',
      fix: FIX,
    },
  );
}

const FIX = 'save a graph that does not call it: the inference function alone';

function recursive(node: Node, functions: readonly string[]): BnfixError {
  return new BnfixError('unsupported', `${node.name} calls a function that calls itself`, {
    where: node.name,
    why: functions.join(' calls '),
    fix: FIX,
  });
}
