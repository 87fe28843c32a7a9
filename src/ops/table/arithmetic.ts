import { roundHalfToEven } from '../../graph/rounding.js';
import { notAlike, notBroadcast, notOnePerChannel } from '../shape_rules/conflicts.js';
import { broadcast, compared, same, sameForAll } from '../shape_rules/elementwise.js';
import { type OpRow, row, type Scalar, type Steps } from './row.js';

/** A function of one tensor. */
function unary(ops: string, roles: string, scalar?: Scalar): OpRow {
  return row(ops, roles, scalar ? { scalar, shape: same } : { shape: same });
}

/** A function of two tensors that are broadcast against each other. */
function binary(ops: string, roles: string, scalar?: (a: number, b: number) => number): OpRow {
  return row(
    ops,
    roles,
    scalar
      ? { scalar: scalar as Scalar, shape: broadcast, conflict: notBroadcast }
      : { shape: broadcast, conflict: notBroadcast },
  );
}

/** A comparison: unknown for unknown numbers. */
function compare(op: string, roles: string, holds: (a: number, b: number) => boolean): OpRow {
  return binary(op, `comparison exact ${roles}`.trim(), (a, b) =>
    Number.isNaN(a + b) ? Number.NaN : Number(holds(a, b)),
  );
}

const sum: Scalar = (...all) => all.reduce((total, x) => total + x, 0);
const sumInSteps: Steps = (round, ...all) => all.reduce((total, x) => round(total + x));

/** Elementwise arithmetic, comparisons and logic (math_ops.cc). */
export const ARITHMETIC_OPS: readonly OpRow[] = [
  binary('Add AddV2', 'arithmetic add exact', (a, b) => a + b),
  row('AddN AccumulateNV2', 'arithmetic add exact', {
    scalar: sum,
    steps: sumInSteps,
    shape: sameForAll,
    conflict: notAlike,
  }),
  row('BiasAdd BiasAddV1', 'bias exact', { scalar: (a, b) => a! + b!, shape: same, conflict: notOnePerChannel }),
  binary('Sub', 'arithmetic subtract exact', (a, b) => a - b),
  binary('Mul', 'arithmetic multiply exact', (a, b) => a * b),
  binary('MulNoNan', 'arithmetic multiply exact', (a, b) => (b === 0 ? 0 : a * b)),
  binary('Div RealDiv', 'arithmetic divide exact', (a, b) => a / b),
  binary('DivNoNan', 'arithmetic divide exact', (a, b) => (b === 0 ? 0 : a / b)),
  binary('Xdivy', 'arithmetic divide', (a, b) => (a === 0 ? 0 : a / b)),
  binary('FloorDiv', 'exact_integers', (a, b) => Math.floor(a / b)),
  binary('TruncateDiv', 'exact_integers', (a, b) => Math.trunc(a / b)),
  binary('FloorMod', 'exact_integers', (a, b) => a - b * Math.floor(a / b)),
  binary('Mod TruncateMod', 'exact_integers', (a, b) => a % b),
  unary('Neg', 'arithmetic negate exact', (a) => -a!),
  unary('Inv Reciprocal', 'arithmetic reciprocal exact', (a) => 1 / a!),
  unary('Square', 'arithmetic square exact', (a) => a! * a!),
  row('SquaredDifference', 'arithmetic square subtract exact', {
    scalar: (a, b) => (a! - b!) ** 2,
    steps: (round, a, b) => round(a! - b!) ** 2,
    shape: broadcast,
    conflict: notBroadcast,
  }),
  binary('Pow', 'arithmetic power', (a, b) => a ** b),
  unary('Sqrt', 'arithmetic root exact', (a) => Math.sqrt(a!)),
  unary('Rsqrt', 'arithmetic root exact', (a) => 1 / Math.sqrt(a!)),
  unary('Exp', 'arithmetic positive', (a) => Math.exp(a!)),
  unary('Expm1', 'arithmetic', (a) => Math.expm1(a!)),
  unary('Log', 'arithmetic logarithm', (a) => Math.log(a!)),
  unary('Log1p', 'arithmetic logarithm', (a) => Math.log1p(a!)),
  binary('Xlogy', 'logarithm', (a, b) => (a === 0 ? 0 : a * Math.log(b))),
  binary('Xlog1py', 'logarithm', (a, b) => (a === 0 ? 0 : a * Math.log1p(b))),
  unary('Abs', 'arithmetic absolute exact', (a) => Math.abs(a!)),
  unary('Sign', 'rounding exact', (a) => Math.sign(a!)),
  binary('Maximum', 'arithmetic extremum exact', (a, b) => Math.max(a, b)),
  binary('Minimum', 'arithmetic extremum exact', (a, b) => Math.min(a, b)),
  row('ClipByValue', 'arithmetic extremum exact', {
    scalar: (a, low, high) => Math.min(Math.max(a!, low!), high!),
    shape: same,
  }),
  unary('Floor', 'rounding exact', (a) => Math.floor(a!)),
  unary('Ceil', 'rounding exact', (a) => Math.ceil(a!)),
  unary('Round Rint', 'rounding exact', (a) => roundHalfToEven(a!)),
  unary('Sin', '', (a) => Math.sin(a!)),
  unary('Cos', '', (a) => Math.cos(a!)),
  unary('Tan', '', (a) => Math.tan(a!)),
  unary('Asin', '', (a) => Math.asin(a!)),
  unary('Acos', '', (a) => Math.acos(a!)),
  unary('Atan', '', (a) => Math.atan(a!)),
  unary('Sinh', '', (a) => Math.sinh(a!)),
  unary('Cosh', '', (a) => Math.cosh(a!)),
  unary('Asinh', '', (a) => Math.asinh(a!)),
  unary('Acosh', '', (a) => Math.acosh(a!)),
  unary('Atanh', '', (a) => Math.atanh(a!)),
  binary('Atan2', '', (a, b) => Math.atan2(a, b)),
  unary('Erf Erfc Erfinv Lgamma Digamma Ndtri', ''),
  unary('IsNan IsInf IsFinite', ''),
  compare('Greater', '', (a, b) => a > b),
  compare('GreaterEqual', '', (a, b) => a >= b),
  compare('Less', '', (a, b) => a < b),
  compare('LessEqual', '', (a, b) => a <= b),
  { ...compare('Equal', 'metric', (a, b) => a === b), shape: compared },
  { ...compare('NotEqual', 'metric', (a, b) => a !== b), shape: compared },
  row('ApproximateEqual', 'comparison metric', { shape: same }),
  unary('LogicalNot', 'logic exact', (a) => (Number.isNaN(a) ? a! : Number(a === 0))),
  binary('LogicalAnd', 'logic exact', (a, b) => (a === 0 || b === 0 ? 0 : a * b)),
  // One true value determines the result, whatever the other is.
  binary('LogicalOr', 'logic exact', (a, b) => (isTrue(a) || isTrue(b) ? 1 : a + b)),
  unary('Relu', 'arithmetic activation hinge exact', (a) => Math.max(0, a!)),
  unary('Relu6', 'activation exact', (a) => Math.min(Math.max(0, a!), 6)),
  unary('Elu', 'activation', (a) => (a! > 0 ? a! : Math.expm1(a!))),
  unary('Softplus', 'activation hinge positive', (a) => Math.max(a!, 0) + Math.log1p(Math.exp(-Math.abs(a!)))),
  unary('Softsign', 'activation', (a) => a! / (1 + Math.abs(a!))),
  unary('LeakyRelu Selu', 'activation'),
  unary('Sigmoid', 'activation probability', (a) => 1 / (1 + Math.exp(-a!))),
  unary('Tanh', 'activation probability', (a) => Math.tanh(a!)),
  unary('Softmax', 'activation probability'),
  unary('LogSoftmax', 'activation logarithm'),
  unary('LRN', 'activation'),
  unary('ZerosLike', 'arithmetic shape_like exact', () => 0),
  unary('OnesLike', 'arithmetic shape_like exact', () => 1),
];

function isTrue(x: number): boolean {
  return !Number.isNaN(x) && x !== 0;
}
