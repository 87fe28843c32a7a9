import { type AttrValue, attr } from '../graph/attrs.js';
import { DataType } from '../graph/dtype.js';
import { Graph } from '../graph/graph.js';
import type { NodeSpec, TensorRef } from '../graph/node.js';
import type { Tensor } from '../graph/tensor.js';
import { inferredTypes } from './inferred_types.js';
import { abbreviatedTensor, DTYPES, literalTensor } from './literals.js';
import { type Call, isCall, parseStatements, type Value } from './syntax.js';
import { notationError } from './tokens.js';
import { attrOf, literalOf, sizesOf } from './values.js';

/**
 * Parses a graph in the notation of docs/notation.md: `y = Relu(BiasAdd(x, [1.0, 2.0]))`.
 *
 * A node in the inputs of `y` is called `y/Op`, the next of the same op `y/Op_1`; a line without a name `Op`. A name that
 * no line defines is a float32 placeholder of unknown shape. Type attrs that follow from the inputs are filled in.
 *
 * @throws BnfixError `unreadable` with the line of a syntax error or of a duplicate name
 * @example
 * parseGraph('y = Mul(x, 0.5)').get('y').inputs; // [{ node: 'x', port: 0 }, { node: 'y/Const', port: 0 }]
 */
export function parseGraph(text: string): Graph {
  const drafts = new Drafts();
  for (const { name, call, device } of parseStatements(text)) {
    drafts.add({ ...call, name: name ?? drafts.freeName(call.op), device });
  }
  return new Graph(drafts.nodes());
}

/** A node whose type attrs are not yet complete. */
interface Draft extends Required<Pick<NodeSpec, 'name' | 'op' | 'inputs' | 'controls' | 'device'>> {
  attr: Record<string, AttrValue>;
  readonly tensor: Tensor | undefined;
  readonly absent: readonly string[];
  isTyped: boolean;
}

class Drafts {
  readonly #drafts = new Map<string, Draft>();
  readonly #ops = new Map<string, number>();

  /** The name for a line without one: `AssignSub`, `AssignSub_1`. */
  freeName(op: string): string {
    return numbered(this.#ops, op, op);
  }

  /** Adds a node and those in its inputs. */
  add(call: Call & { name: string; device: string }, scope = call.name, counts = new Map<string, number>()): void {
    const { name, op, controls, device, line } = call;
    const inputs = call.inputs.map((input): TensorRef => {
      if (!isCall(input)) return input;
      const inner = { ...input, name: numbered(counts, input.op, `${scope}/${input.op}`), device: '' };
      this.add(inner, scope, counts);
      return { node: inner.name, port: input.port };
    });
    if (this.#drafts.has(name)) throw notationError(line, `${name} is defined twice`);
    this.#drafts.set(name, { name, op, inputs, controls, device, ...content(call), isTyped: false });
  }

  nodes(): NodeSpec[] {
    const own = [...this.#drafts.values()];
    for (const { inputs } of own) for (const { node } of inputs) this.#addMissing(node, 'Placeholder');
    for (const { controls } of own) for (const name of controls) this.#addMissing(name, 'NoOp');
    for (const name of this.#drafts.keys()) this.#typed(name);
    return [...this.#drafts.values()];
  }

  #addMissing(name: string, op: string): void {
    if (this.#drafts.has(name)) return;
    const none = { inputs: [], controls: [], attr: {}, tensor: undefined, absent: [] };
    this.#drafts.set(name, { name, op, device: '', ...none, isTyped: false });
  }

  /** A node with its type attrs; in a loop, those known so far. */
  #typed(name: string): Draft | undefined {
    const draft = this.#drafts.get(name);
    if (!draft || draft.isTyped) return draft;
    draft.isTyped = true;
    const inferred = inferredTypes(draft, (other) => this.#typed(other));
    draft.attr = { ...inferred, ...draft.attr };
    for (const key of draft.absent) delete draft.attr[key];
    return draft;
  }
}

function numbered(counts: Map<string, number>, op: string, base: string): string {
  const count = counts.get(op) ?? 0;
  counts.set(op, count + 1);
  return count === 0 ? base : `${base}_${count}`;
}

/** The attrs of a node, and its tensor if it is a constant. */
function content({ op, attrs, line }: Call): Pick<Draft, 'attr' | 'tensor' | 'absent'> {
  const found: Record<string, AttrValue> = {};
  const absent: string[] = [];
  let literal: Value | undefined;
  let shape: number[] | undefined;
  for (const { key, value, isAbsent } of attrs) {
    const { kind, text, quoted } = value.token;
    const dtype = kind === 'word' && !quoted && !value.items ? DTYPES.get(text) : undefined;
    // Attrs printed as `<tensor>` cannot be parsed.
    if (kind === 'opaque') continue;
    if (isAbsent) absent.push(text);
    else if (key === undefined && dtype !== undefined) found.dtype = attr.type(dtype);
    else if (op === 'Const' && (key === undefined || key === 'value')) literal = value;
    else if (op === 'Const' && key === 'shape') shape = sizesOf(value);
    else if (key !== undefined) found[key] = attrOf(key, value);
    else if (kind === 'word' && !value.items) found[text] = attr.bool(true);
    else throw notationError(line, `${text} has no key`);
  }
  if (op !== 'Const') return { attr: found, tensor: undefined, absent };
  if (!literal) throw notationError(line, 'a constant without a value');
  const tensor = tensorOf(literal, found.dtype?.type as DataType | undefined, shape);
  return { attr: { dtype: attr.type(tensor.dtype), ...found }, tensor, absent };
}

function tensorOf(value: Value, dtype: DataType | undefined, shape: readonly number[] | undefined): Tensor {
  if (value.hash === undefined) return literalTensor(literalOf(value), dtype, shape);
  return abbreviatedTensor(DTYPES.get(value.prefix ?? '') ?? DataType.DT_INVALID, sizesOf(value), value.hash);
}
