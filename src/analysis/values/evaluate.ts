import type { Graph } from '../../graph/graph.js';
import type { TensorRef } from '../../graph/node.js';
import { refText } from '../../graph/node.js';
import { readNumbers } from '../../graph/tensor.js';
import { IDENTITIES } from '../../graph/walk.js';

/** Elementwise arithmetic, for one element. */
export const ARITHMETIC: Readonly<Record<string, (...x: number[]) => number>> = {
  Add: (a, b) => a! + b!,
  AddV2: (a, b) => a! + b!,
  AddN: (...all) => all.reduce((sum, x) => sum + x, 0),
  Sub: (a, b) => a! - b!,
  Mul: (a, b) => a! * b!,
  Div: (a, b) => a! / b!,
  RealDiv: (a, b) => a! / b!,
  DivNoNan: (a, b) => (b === 0 ? 0 : a! / b!),
  Neg: (a) => -a!,
  Inv: (a) => 1 / a!,
  Reciprocal: (a) => 1 / a!,
  Square: (a) => a! * a!,
  SquaredDifference: (a, b) => (a! - b!) ** 2,
  Sqrt: (a) => Math.sqrt(a!),
  Rsqrt: (a) => 1 / Math.sqrt(a!),
  Relu: (a) => Math.max(0, a!),
  Maximum: (a, b) => Math.max(a!, b!),
  Minimum: (a, b) => Math.min(a!, b!),
  Pow: (a, b) => a! ** b!,
  Exp: (a) => Math.exp(a!),
  Log: (a) => Math.log(a!),
  OnesLike: () => 1,
  ZerosLike: () => 0,
};

/** Ops that hand on the value of input 0, as far as one element goes. */
export const ELEMENT_PRESERVING_OPS: ReadonlySet<string> = new Set([
  ...IDENTITIES,
  'Cast',
  'Reshape',
  'Squeeze',
  'ExpandDims',
  'BroadcastTo',
  'Mean',
  'Enter',
  'Exit',
  'Switch',
]);

/** Larger constants are not parameters of an expression. */
const MAX_CONST_BYTES = 65_536;

/** What a leaf is worth that only a run would tell: any number between 0 and 1 shows the form of an expression. */
const UNKNOWN_SCALAR = 0.37;

/** ValueNumbering of interest are a handful of ops. */
export const MAX_EXPRESSION = 200;

/**
 * The value of an expression for one element, to see of what form it is: `known` gives the values of the tensors under
 * test, constants are what they are, and what only a run would tell is the same number everywhere. `ops` are those that
 * are computed.
 */
export function evaluate(
  graph: Graph,
  ref: TensorRef,
  known: (ref: TensorRef) => number | undefined,
  ops: Readonly<Record<string, (...x: number[]) => number>> = ARITHMETIC,
): number {
  const cache = new Map<string, number>();
  const value = (at: TensorRef): number => {
    const given = known(at);
    if (given !== undefined) return given;
    const key = refText(at);
    const cached = cache.get(key);
    if (cached !== undefined) return cached;
    cache.set(key, UNKNOWN_SCALAR);
    const result = compute(at);
    cache.set(key, result);
    return result;
  };
  const compute = (at: TensorRef): number => {
    const node = graph.find(at.node);
    if (!node || cache.size > MAX_EXPRESSION) return UNKNOWN_SCALAR;
    if (node.op === 'Const') {
      const small = node.tensor && node.tensor.byteLength > 0 && node.tensor.byteLength <= MAX_CONST_BYTES;
      return (small ? readNumbers(node.tensor!)[0] : undefined) ?? UNKNOWN_SCALAR;
    }
    if (node.op in ops) return ops[node.op]!(...node.inputs.map(value));
    if (ELEMENT_PRESERVING_OPS.has(node.op) && node.inputs[0]) return value(node.inputs[0]);
    return UNKNOWN_SCALAR;
  };
  return value(ref);
}
