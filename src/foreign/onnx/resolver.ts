import { BnfixError } from '../../errors.js';
import type { onnx } from '../../proto/tensorflow.js';
import { choosesBranch, isSumOrDifference } from './ops.js';
import { type Body, bodyOfGraph, functionKey, type OnnxFunction, type OnnxModel } from './read_model.js';
import { attributeOf, type Branch, OnnxNode, type Output, type Place, Scope, Value } from './scope.js';

/** The most nodes that functions and subgraphs add to those of the main graph. */
const MAX_EXPANDED = 100_000;
/** The most functions and subgraphs in each other. */
const MAX_DEPTH = 100;
/** The most conditions that depend on each other. */
const MAX_CONDITIONS = 100;

/** What an argument stands for that a call leaves out. */
const LEFT_OUT = new Value('');

/**
 * Finds what the names in a model mean: functions are expanded, an If or Where with a known condition is the branch that it
 * takes, and a mix of two values by a known factor of 1 is the one that it chooses. Nodes that nothing asks for do not exist.
 */
export class Resolver {
  /** The outputs of the model. */
  readonly outputs: readonly Value[];
  readonly #model: OnnxModel;
  readonly #number: (value: Value) => number | undefined;
  readonly #bodies = new Map<onnx.GraphProto.$Properties, Body>();
  readonly #subgraphs = new Map<OnnxNode, Map<onnx.GraphProto.$Properties, Scope>>();
  readonly #limit: number;
  #nodes = 0;
  #conditions = 0;

  /** @param number - the number that a scalar is, such as the condition of an If or Where, if that is known */
  constructor(model: OnnxModel, number: (value: Value) => number | undefined) {
    this.#model = model;
    this.#limit = model.body.nodes.length + MAX_EXPANDED;
    this.#number = number;
    const main = new Scope(model.body, model.opsets);
    this.outputs = model.body.outputs.map((name) => this.#value({ scope: main, name }));
  }

  /** Finds what a name means. */
  #value(place: Place): Value {
    const passed: Place[] = [];
    let at: Place = place;
    let value = at.scope.values.get(at.name);
    while (!value) {
      if (passed.push(at) > this.#limit) throw this.#tooLarge();
      const next = this.#follow(at);
      if (next instanceof Value) value = next;
      else {
        at = next;
        value = at.scope.values.get(at.name);
      }
    }
    for (const { scope, name } of passed) scope.values.set(name, value);
    return value;
  }

  /** The value at a place, or the place that it comes from. */
  #follow({ scope, name }: Place): Value | Place {
    const { body, bindings, outer, owner } = scope;
    const output = body.producers.get(name);
    if (output) return this.#output(scope, output, name);
    const bound = bindings.get(name);
    if (bound) return bound.name === '' ? LEFT_OUT : bound;
    const initializer = body.initializers.get(name);
    if (initializer) return new Value(name, { initializer });
    if (body.inputs.has(name)) return new Value(name, { passedBy: owner });
    return outer ? { scope: outer, name } : new Value(name);
  }

  #output(scope: Scope, { proto, index }: Output, name: string): Value | Place {
    const called = this.#model.functions.get(functionKey(proto.domain, proto.op_type, proto.overload));
    if (called) {
      const result = called.body.outputs[index];
      return result === undefined ? new Value(name) : { scope: this.#call(scope, proto, called), name: result };
    }
    const mixed = this.#mixed(scope, proto);
    if (mixed !== undefined) return { scope, name: mixed };
    const node = this.#node(scope, proto);
    return (node.taken && this.#takenPlace(node, node.taken, index)) ?? new Value(name, { producer: node });
  }

  #node(scope: Scope, proto: onnx.NodeProto.$Properties): OnnxNode {
    const known = scope.nodes.get(proto);
    if (known) return known;
    if (++this.#nodes > this.#limit) throw this.#tooLarge();
    const node = new OnnxNode(proto, scope, this);
    scope.nodes.set(proto, node);
    if (choosesBranch(node.op) && node.domain === '') node.taken = this.#takenBranch(node);
    return node;
  }

  #takenBranch({ scope, proto }: OnnxNode): Branch | undefined {
    const name = proto.input?.[0];
    const condition = name ? this.#numberAt({ scope, name }) : undefined;
    return condition === undefined ? undefined : condition !== 0 ? 'then_branch' : 'else_branch';
  }

  #numberAt(place: Place): number | undefined {
    if (this.#conditions === MAX_CONDITIONS) return undefined;
    this.#conditions++;
    const number = this.#number(this.#value(place));
    this.#conditions--;
    return number;
  }

  /** The value that a mix of two is, by its name: `a + k * (b - a)` and `a - k * (a - b)` are b if k is 1. */
  #mixed(scope: Scope, { domain, op_type: op, input: names }: onnx.NodeProto.$Properties): string | undefined {
    if (domain || !isSumOrDifference(op ?? '')) return undefined;
    const producerOf = (name: string | undefined) => scope.body.producers.get(name ?? '')?.proto;
    const input = names ?? [];
    const orders = op === 'Add' ? [input, [...input].reverse()] : [input];
    for (const [from, scaled] of orders) {
      const product = producerOf(scaled);
      const factors = product?.op_type === 'Mul' ? (product.input ?? []) : [];
      for (const [i, factor] of factors.entries()) {
        const difference = producerOf(factors[1 - i]);
        if (difference?.op_type !== 'Sub') continue;
        const [left, right] = difference.input ?? [];
        const [to, subtracted] = op === 'Add' ? [left, right] : [right, left];
        if (to && subtracted === from && this.#numberAt({ scope, name: factor }) === 1) return to;
      }
    }
    return undefined;
  }

  /** Where the output of an If or Where comes from. */
  #takenPlace(node: OnnxNode, taken: Branch, index: number): Place | undefined {
    const { scope, proto } = node;
    if (node.op === 'Where') return { scope, name: proto.input?.[taken === 'then_branch' ? 1 : 2] ?? '' };
    const graph = node.attribute(taken)?.g;
    const branch = graph && this.#subgraph(node, graph);
    const name = branch?.body.outputs[index];
    return branch && name !== undefined ? { scope: branch, name } : undefined;
  }

  /** What a node reads. */
  inputsOf(node: OnnxNode): (Value | undefined)[] {
    const { scope, proto } = node;
    const inputs = (proto.input ?? []).map((name) => (name === '' ? LEFT_OUT : this.#value({ scope, name })));
    for (const value of new Set(inputs)) value.consumers.push(node);
    return inputs.map((value) => (value === LEFT_OUT ? undefined : value));
  }

  /** What the subgraphs of a node output. */
  resultsOf(node: OnnxNode): Value[] {
    const graphs = (node.proto.attribute ?? []).flatMap(({ g, graphs }) => (g ? [g] : (graphs ?? [])));
    const results = graphs.flatMap((graph) => {
      const scope = this.#subgraph(node, graph);
      return scope.body.outputs.map((name) => this.#value({ scope, name }));
    });
    for (const value of new Set(results)) value.consumers.push(node);
    return results;
  }

  #subgraph(node: OnnxNode, graph: onnx.GraphProto.$Properties): Scope {
    const known = this.#subgraphs.get(node)?.get(graph);
    if (known) return known;
    const { opsets, path, attributes } = node.scope;
    const body = this.#bodies.get(graph) ?? bodyOfGraph(graph);
    this.#bodies.set(graph, body);
    const depth = this.#depthIn(node.scope);
    const scope = new Scope(body, opsets, { outer: node.scope, owner: node, path, depth, attributes });
    const others = this.#subgraphs.get(node) ?? new Map();
    this.#subgraphs.set(node, others.set(graph, scope));
    return scope;
  }

  /** The scope of one call of a function. */
  #call(scope: Scope, proto: onnx.NodeProto.$Properties, { body, defaults, opsets }: OnnxFunction): Scope {
    const known = scope.calls.get(proto);
    if (known) return known;
    const given = new Map(
      (proto.attribute ?? []).map(({ name }) => [name ?? '', attributeOf(proto, scope, name ?? '')]),
    );
    const attributes = new Map(defaults.map((each) => [each.name ?? '', each]));
    for (const [name, value] of given) if (value) attributes.set(name, value);
    const call = new Scope(body, opsets, {
      path: `${scope.path}${proto.name || proto.op_type}/`,
      depth: this.#depthIn(scope),
      bindings: new Map([...body.inputs].map((name, i) => [name, { scope, name: proto.input?.[i] ?? '' }])),
      attributes,
    });
    scope.calls.set(proto, call);
    return call;
  }

  #depthIn({ depth }: Scope): number {
    if (depth === MAX_DEPTH) throw this.#tooLarge();
    return depth + 1;
  }

  #tooLarge(): BnfixError {
    const { name } = this.#model;
    return new BnfixError('unsupported', `the functions of ${name} are too deep or too large to expand`, {
      where: name,
      why: `bnfix expands functions and subgraphs to at most ${MAX_EXPANDED} nodes, in at most ${MAX_DEPTH} levels`,
      fix: 'inline them first: onnx.inliner.inline_local_functions(model)',
    });
  }
}
