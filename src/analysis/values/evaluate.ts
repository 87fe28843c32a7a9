import { attrType } from '../../graph/attrs.js';
import { DataType } from '../../graph/dtype.js';
import type { Graph } from '../../graph/graph.js';
import type { Node, TensorRef } from '../../graph/node.js';
import { refText } from '../../graph/node.js';
import { isInteger } from '../../graph/rounding.js';
import { readNumbers } from '../../graph/tensor.js';
import { anyOf, isSelect, MAX_ARGUMENTS, scalarOf } from '../../ops/meaning.js';
import { replicasOf } from './replicas.js';

const forwards = anyOf(
  'identity',
  'cast',
  'reshape',
  'broadcast',
  'enter',
  'exit',
  'switch',
  'mean',
  'across_replicas',
);
const isCast = anyOf('cast');
const isOfReplicas = anyOf('across_replicas');
const packs = anyOf('pack');
const isFill = anyOf('fill');
const isContinuous = anyOf('arithmetic', 'bias', 'activation');
const isShapeLike = anyOf('shape_like');

/** Whether an op outputs the value of input 0, for a single element: this includes a Mean over virtual batches. */
export function forwardsElement(node: Node): boolean {
  return forwards(node) || (packs(node) && node.inputs.length === 1);
}

/** Larger constants are not parameters of an expression. */
const MAX_CONST_BYTES = 65_536;

/** The value of an unknown leaf: any number between 0 and 1 reveals the form of an expression. */
const UNKNOWN_SCALAR = 0.37;

/** Maximum number of ops in an expression: relevant ones are a handful of ops. Limits the cost of each probe. */
const MAX_EXPRESSION = 200;

/** The value of an element, and whether it depends on known values only. */
interface Element {
  readonly value: number;
  readonly isKnown: boolean;
}

const UNKNOWN: Element = { value: UNKNOWN_SCALAR, isKnown: false };

/**
 * The value of an expression for one element, to find out what it does: constants have their values, and tensors known only
 * at run time are the same number everywhere. Comparisons, conditions and rounding are evaluated only if all their inputs
 * are known; a decision by an unknown number would be a guess.
 *
 * @param known - the values of the tensors under test; undefined for all others
 */
export function evaluate(graph: Graph, ref: TensorRef, known: KnownValues): number {
  return elementAt(graph, ref, known).value;
}

/** The same; undefined if the value depends on anything that is known only at run time. */
export function evaluateKnown(graph: Graph, ref: TensorRef, known: KnownValues): number | undefined {
  const { value, isKnown } = elementAt(graph, ref, known);
  return isKnown ? value : undefined;
}

/** The values of tensors, where they are given. */
type KnownValues = (ref: TensorRef) => number | undefined;

function elementAt(graph: Graph, ref: TensorRef, known: KnownValues): Element {
  const cache = new Map<string, Element>();
  const element = (at: TensorRef): Element => {
    const given = known(at);
    if (given !== undefined) return { value: given, isKnown: true };
    const key = refText(at);
    const cached = cache.get(key);
    if (cached) return cached;
    cache.set(key, UNKNOWN);
    const node = graph.find(at.node);
    const isShort = node && cache.size <= MAX_EXPRESSION;
    const result = !isShort ? UNKNOWN : isOfReplicas(node) ? ofReplicas(graph, node, element) : ofNode(node, element);
    cache.set(key, result);
    return result;
  };
  return element(ref);
}

/** Replicas have the same statistics: their sum is a multiple, by the number that divides it. */
function ofReplicas(graph: Graph, node: Node, element: (ref: TensorRef) => Element): Element {
  const { value, isKnown } = element(node.inputs[0]!);
  return { value: value * replicasOf(graph, node), isKnown };
}

function ofNode(node: Node, element: (ref: TensorRef) => Element): Element {
  if (node.op === 'Const') return ofConstant(node);
  const scalar = scalarOf(node.op);
  if (scalar && node.inputs.length > MAX_ARGUMENTS) return UNKNOWN;
  if (scalar) {
    const inputs = node.inputs.map(element);
    const value = scalar(...inputs.map((input, i) => (decides(node, i) && !input.isKnown ? Number.NaN : input.value)));
    const isKnown = isShapeLike(node) || inputs.every((input) => input.isKnown);
    return Number.isNaN(value) && !isKnown ? UNKNOWN : { value, isKnown };
  }
  const forwarded = node.inputs[isFill(node) ? 1 : 0];
  if (!forwarded || !(forwardsElement(node) || isFill(node))) return UNKNOWN;
  const { value, isKnown } = element(forwarded);
  return { value: isKnown && isCast(node) ? cast(node, value) : value, isKnown };
}

/** A number as another dtype: integers have no fraction, a bool is whether it is 0. */
function cast(node: Node, value: number): number {
  const to = attrType(node, 'DstT');
  if (to === DataType.DT_BOOL) return value === 0 ? 0 : 1;
  return isInteger(to) ? Math.trunc(value) : value;
}

/** Whether an input selects what an op outputs, instead of changing it continuously. */
function decides(node: Node, index: number): boolean {
  return isSelect(node) ? index === 0 : !isContinuous(node);
}

/** The number of a constant; a list of different numbers is not the same for every element. */
function ofConstant({ tensor }: Node): Element {
  const isSmall = tensor && tensor.byteLength > 0 && tensor.byteLength <= MAX_CONST_BYTES;
  const [value, ...others] = isSmall ? readNumbers(tensor) : [];
  return value === undefined || others.some((other) => other !== value) ? UNKNOWN : { value, isKnown: true };
}
