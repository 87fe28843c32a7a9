import { attrType } from '../../graph/attrs.js';
import { DataType } from '../../graph/dtype.js';
import type { Graph } from '../../graph/graph.js';
import { memoizeByVersion } from '../../graph/memo.js';
import { type Node, refText, type TensorRef } from '../../graph/node.js';
import { readNumbers } from '../../graph/tensor.js';
import { anyOf, meaningOf, scalarOf } from '../../ops/meaning.js';
import { type ConstantInput, type ConstantValue, MAX_ELEMENTS } from '../../ops/value_rules.js';

export type { ConstantValue } from '../../ops/value_rules.js';

/** Given values, by node: pinned flags. */
export type Pins = ReadonlyMap<string, number>;

/** Values of tensors by `name:port`; undefined for unknown ones. */
export type Known = Map<string, ConstantValue | undefined>;

/** Without pins, results are cached until the graph changes. */
const unpinned = memoizeByVersion(
  (_: Graph): Known => new Map(),
  (graph) => graph,
);

/**
 * The value of a tensor as far as constants determine it: shapes, axes, flags. Elements that are known only at run
 * time are NaN; undefined if nothing is known.
 */
export function constantValue(graph: Graph, ref: TensorRef, pins?: Pins): ConstantValue | undefined {
  return workedOut(graph, ref, pins ? pinned(pins) : unpinned(graph));
}

/** The values that pins give. */
export function pinned(pins: Pins): Known {
  return new Map([...pins].map(([node, value]) => [node, { shape: [], values: [value] }]));
}

/** The value of a tensor. Evaluates inputs before their consumers, without recursion, so that deep nets do not overflow the stack. */
export function workedOut(graph: Graph, ref: TensorRef, known: Known): ConstantValue | undefined {
  const stack = [ref];
  const opened = new Set<string>();
  for (let at = stack.at(-1); at; at = stack.at(-1)) {
    const key = refText(at);
    const node = known.has(key) ? undefined : graph.find(at.node);
    const waitsFor = node && !opened.has(key) ? node.inputs.filter((input) => !known.has(refText(input))) : [];
    opened.add(key);
    if (waitsFor.length > 0 && canCompute(node!)) {
      // A node that is already being evaluated depends on itself: a cycle has no value.
      stack.push(...waitsFor.filter((input) => !opened.has(refText(input))));
      if (stack.at(-1) !== at) continue;
    }
    if (!known.has(key)) {
      known.set(
        key,
        node && compute(node, at.port, (index) => node.inputs[index] && known.get(refText(node.inputs[index]))),
      );
    }
    stack.pop();
  }
  return known.get(refText(ref));
}

/** A constant behind a Switch or an Enter is the same constant. */
const forwards = anyOf('identity', 'enter', 'switch', 'read');
const isIdentityN = anyOf('identity_n');
const isConstant = anyOf('constant');
const isCast = anyOf('cast');

/** Whether the value of an op may follow from the values of its inputs. */
export function canCompute(node: Node): boolean {
  const meaning = meaningOf(node.op);
  const isComputed = meaning?.scalar !== undefined || meaning?.value !== undefined;
  return isComputed || forwards(node) || isCast(node) || isIdentityN(node);
}

/** The value of output `port` of a node, from those of its inputs. */
export function compute(node: Node, port: number, input: ConstantInput): ConstantValue | undefined {
  if (isConstant(node)) return ofConst(node);
  if (forwards(node)) return input(0);
  if (isIdentityN(node)) return input(port);
  if (isCast(node)) return cast(node, input(0));
  const scalar = scalarOf(node.op);
  return scalar ? elementwise(node, input, scalar) : meaningOf(node.op)?.value?.(node, input);
}

/** Elementwise with broadcasting of single numbers; an unknown input may not matter: `false && x`. */
function elementwise(node: Node, input: ConstantInput, scalar: (...x: number[]) => number): ConstantValue | undefined {
  const inputs = node.inputs.map((_, i) => input(i));
  const known = inputs.filter((value) => value !== undefined);
  const largest = known.reduce<ConstantValue | undefined>(
    (best, value) => (best && best.values.length >= value.values.length ? best : value),
    undefined,
  );
  if (!largest || known.some(({ values }) => values.length !== 1 && values.length !== largest.values.length))
    return undefined;
  const type = attrType(node, 'T');
  const at = (value: ConstantValue | undefined, i: number) =>
    value ? value.values[value.values.length === 1 ? 0 : i]! : Number.NaN;
  const values = largest.values.map((_, i) => rounded(type, scalar(...inputs.map((value) => at(value, i)))));
  if (known.length < inputs.length && values.some(Number.isNaN)) return undefined;
  return { shape: largest.shape, values };
}

/** A result as TensorFlow represents it in a dtype: integers are truncated (as in Div), float32 has 24 bits. */
export function rounded(type: DataType | undefined, x: number): number {
  if (type === DataType.DT_FLOAT) return Math.fround(x);
  if (type === undefined || !WHOLE.has(type)) return x;
  return Number.isFinite(x) ? Math.trunc(x) : Number.NaN;
}

function cast(node: Node, value: ConstantValue | undefined): ConstantValue | undefined {
  const type = attrType(node, 'DstT');
  const isTrue = (x: number) => (Number.isNaN(x) ? x : Number(x !== 0));
  const to = (x: number) => (type === DataType.DT_BOOL ? isTrue(x) : rounded(type, x));
  return value && { shape: value.shape, values: value.values.map(to) };
}

const WHOLE: ReadonlySet<DataType> = new Set([
  DataType.DT_INT8,
  DataType.DT_INT16,
  DataType.DT_INT32,
  DataType.DT_INT64,
  DataType.DT_UINT8,
  DataType.DT_UINT16,
  DataType.DT_UINT32,
  DataType.DT_UINT64,
]);

/** The single number of a scalar (or one-element) constant. */
export function constantScalar(graph: Graph, ref: TensorRef | undefined, pins?: Pins): number | undefined {
  return numberOf(ref && constantValue(graph, ref, pins));
}

/** The single number of a value; undefined if it has more elements, or is unknown. */
export function numberOf(value: ConstantValue | undefined): number | undefined {
  return value?.values.length === 1 && !Number.isNaN(value.values[0]) ? value.values[0] : undefined;
}

/** A constant list of integers (axes, a shape); undefined unless all elements are known. */
export function constantInts(graph: Graph, ref: TensorRef | undefined): number[] | undefined {
  const value = ref && constantValue(graph, ref);
  return value && !value.values.some(Number.isNaN) ? [...value.values] : undefined;
}

function ofConst({ tensor }: Node): ConstantValue | undefined {
  if (!tensor || tensor.dtype === DataType.DT_STRING || tensor.byteLength > MAX_ELEMENTS * 8) return undefined;
  try {
    return { shape: tensor.shape, values: [...readNumbers(tensor)] };
  } catch {
    return undefined; // complex numbers, resources: no facts about shapes
  }
}
