import { type OpRow, row, type Scalar } from './row.js';

/** A comparison: of numbers that are not known, nothing is known. */
function compare(holds: (a: number, b: number) => boolean): { scalar: Scalar } {
  return { scalar: (a, b) => (Number.isNaN(a! + b!) ? Number.NaN : Number(holds(a!, b!))) };
}

const sum: Scalar = (...all) => all.reduce((total, x) => total + x, 0);

/** Elementwise arithmetic, comparisons and logic (math_ops.cc). */
export const ARITHMETIC_OPS: readonly OpRow[] = [
  row('Add AddV2', 'add', { scalar: (a, b) => a! + b! }),
  row('AddN AccumulateNV2', 'add', { scalar: sum }),
  row('BiasAdd BiasAddV1', 'bias', { scalar: (a, b) => a! + b! }),
  row('Sub', 'subtract', { scalar: (a, b) => a! - b! }),
  row('Mul', 'multiply', { scalar: (a, b) => a! * b! }),
  row('MulNoNan', 'multiply', { scalar: (a, b) => (b === 0 ? 0 : a! * b!) }),
  row('Div RealDiv', 'divide', { scalar: (a, b) => a! / b! }),
  row('DivNoNan Xdivy', 'divide', { scalar: (a, b) => (b === 0 ? 0 : a! / b!) }),
  row('FloorDiv', '', { scalar: (a, b) => Math.floor(a! / b!) }),
  row('TruncateDiv', '', { scalar: (a, b) => Math.trunc(a! / b!) }),
  row('FloorMod', '', { scalar: (a, b) => a! - b! * Math.floor(a! / b!) }),
  row('Mod TruncateMod', '', { scalar: (a, b) => a! % b! }),
  row('Neg', '', { scalar: (a) => -a! }),
  row('Inv Reciprocal', '', { scalar: (a) => 1 / a! }),
  row('Square', 'square', { scalar: (a) => a! * a! }),
  row('SquaredDifference', 'square subtract', { scalar: (a, b) => (a! - b!) ** 2 }),
  row('Pow', 'power', { scalar: (a, b) => a! ** b! }),
  row('Sqrt', 'root', { scalar: (a) => Math.sqrt(a!) }),
  row('Rsqrt', 'root', { scalar: (a) => 1 / Math.sqrt(a!) }),
  row('Exp', '', { scalar: (a) => Math.exp(a!) }),
  row('Log', '', { scalar: (a) => Math.log(a!) }),
  row('Log1p', '', { scalar: (a) => Math.log1p(a!) }),
  row('Abs', '', { scalar: (a) => Math.abs(a!) }),
  row('Sign', '', { scalar: (a) => Math.sign(a!) }),
  row('Maximum', 'extremum', { scalar: (a, b) => Math.max(a!, b!) }),
  row('Minimum', 'extremum', { scalar: (a, b) => Math.min(a!, b!) }),
  row('ClipByValue', 'extremum', { scalar: (a, low, high) => Math.min(Math.max(a!, low!), high!) }),
  row('Floor', 'rounding', { scalar: (a) => Math.floor(a!) }),
  row('Ceil', 'rounding', { scalar: (a) => Math.ceil(a!) }),
  row('Round Rint', 'rounding', { scalar: (a) => Math.round(a!) }),
  row(
    'Greater',
    'comparison',
    compare((a, b) => a > b),
  ),
  row(
    'GreaterEqual',
    'comparison',
    compare((a, b) => a >= b),
  ),
  row(
    'Less',
    'comparison',
    compare((a, b) => a < b),
  ),
  row(
    'LessEqual',
    'comparison',
    compare((a, b) => a <= b),
  ),
  row(
    'Equal',
    'comparison metric',
    compare((a, b) => a === b),
  ),
  row(
    'NotEqual',
    'comparison metric',
    compare((a, b) => a !== b),
  ),
  row('LogicalNot', 'logic', { scalar: (a) => (Number.isNaN(a) ? a! : Number(a === 0)) }),
  row('LogicalAnd', 'logic', { scalar: (a, b) => (a === 0 || b === 0 ? 0 : a! * b!) }),
  // One true value decides, whatever the other is.
  row('LogicalOr', 'logic', { scalar: (a, b) => (isTrue(a!) || isTrue(b!) ? 1 : a! + b!) }),
  row('Relu', 'activation', { scalar: (a) => Math.max(0, a!) }),
  row('Relu6', 'activation', { scalar: (a) => Math.min(Math.max(0, a!), 6) }),
  row('Elu LeakyRelu Selu Softplus Softsign Erf', 'activation'),
  row('Sigmoid', 'activation probability', { scalar: (a) => 1 / (1 + Math.exp(-a!)) }),
  row('Tanh', 'activation probability', { scalar: (a) => Math.tanh(a!) }),
  row('Softmax', 'activation probability'),
  row('LogSoftmax LRN', 'activation'),
  row('ZerosLike', 'shape_like', { scalar: () => 0 }),
  row('OnesLike', 'shape_like', { scalar: () => 1 }),
];

function isTrue(x: number): boolean {
  return !Number.isNaN(x) && x !== 0;
}
