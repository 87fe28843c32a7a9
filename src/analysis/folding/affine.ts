import { attrString, attrType } from '../../graph/attrs.js';
import type { DataType } from '../../graph/dtype.js';
import type { Node } from '../../graph/node.js';
import { elementwise } from '../../ops/channel_rules/layout.js';
import { anyOf, channelRuleOf, isGlobalBatchNorm, sameAs } from '../../ops/meaning.js';
import { type ConstantVector, isFloat, mapVector, scalar, type Vector, zip } from '../values/vectors.js';
import type { Affine, AffineOp } from './affine_op.js';
import { fusedBatchNorm, globalNormalization } from './normalization.js';
import type { FoldView } from './view.js';

/** The pattern of an unfused batch norm. */
export const DECOMPOSED = 'decomposed';

const isFusedBatchNorm = anyOf('fused_batch_norm');
const isProduct = sameAs('Mul');
const isQuotient = sameAs('RealDiv');
const isNegation = sameAs('Neg');
/** Whether a node adds two tensors. */
export const isSum = sameAs('Add');
/** Whether a node subtracts its second input from its first. */
export const isDifference = sameAs('Sub');
/** Whether a node adds a vector along the channels of its layout. */
export const isBias = sameAs('BiasAdd');

/** Ops that output their input, and have no other effect. */
function isPlainIdentity({ op }: Node): boolean {
  return channelRuleOf(op) === elementwise;
}

const [ONE, ZERO, MINUS_ONE] = [scalar(1), scalar(0), scalar(-1)];

/** A node as an affine function of one input; undefined if it is not affine, or its parameters are not constant. */
export function affineOp(view: FoldView, node: Node): AffineOp | undefined {
  if (view.isKept(node.name)) return undefined;
  if (isFusedBatchNorm(node)) return fusedBatchNorm(view, node);
  if (isGlobalBatchNorm(node)) return globalNormalization(view, node);
  const dtype = attrType(node, 'T');
  if (!isFloat(dtype)) return undefined;
  const unary = (scale: Vector) => arithmetic(node, { dtype, x: 0, scale, shift: ZERO });
  if (isPlainIdentity(node)) return unary(ONE);
  if (isNegation(node)) return unary(MINUS_ONE);
  if (node.inputs.length !== 2) return undefined;
  const [left, right] = [view.constants.vector(node.inputs[0]), view.constants.vector(node.inputs[1])];
  const constant = left ?? right;
  if (!constant || (left && right)) return undefined;
  const binary = (scale: Vector, shift: Vector) => arithmetic(node, { dtype, x: left ? 1 : 0, scale, shift, constant });
  if (isProduct(node)) return binary(constant, ZERO);
  if (isSum(node)) return binary(ONE, constant);
  if (isDifference(node)) return left ? binary(MINUS_ONE, constant) : binary(ONE, negated(constant));
  if (left) return undefined;
  if (isQuotient(node)) return binary(inverse(constant), ZERO);
  const bias = isBias(node) ? alongChannels(view, node, constant) : undefined;
  return bias && binary(ONE, bias);
}

const negated = (v: Vector): Vector => mapVector(v, (x) => -x);
const inverse = (v: Vector): Vector => mapVector(v, (x) => 1 / x);

/** Versions of TensorFlow agree on NCHW only for four dimensions. */
function alongChannels(view: FoldView, node: Node, bias: Vector): Vector | undefined {
  if (bias.shape.length !== 1) return undefined;
  if ((attrString(node, 'data_format') ?? 'NHWC') !== 'NCHW') return bias;
  return view.rankOf(node.inputs[0]!) === 4 ? { shape: [bias.values.length, 1, 1], values: bias.values } : undefined;
}

interface Arithmetic {
  readonly dtype: DataType;
  /** Index of the input that is scaled. */
  readonly x: number;
  readonly scale: Vector;
  readonly shift: Vector;
  /** The other input, if any. */
  readonly constant?: ConstantVector;
}

function arithmetic(node: Node, { dtype, x, scale, shift, constant }: Arithmetic): AffineOp {
  // An unfused batch norm divides by its deviation by scaling with a root.
  const isNorm = constant?.hasRoot && (isProduct(node) || isQuotient(node));
  return {
    node,
    x: node.inputs[x]!,
    operand: 1 - x,
    affine: { scale, shift, growth: 0 },
    batchNorm: isNorm ? DECOMPOSED : undefined,
    cost: isPlainIdentity(node) ? 0 : 1 + (constant && constant.ops > 0 ? 1 : 0),
    dtype,
    widens: false,
  };
}

/** Applies one after the other; undefined if they are along different dimensions. */
export function compose(first: Affine, second: Affine): Affine | undefined {
  const scale = zip(first.scale, second.scale, (a, b) => a * b);
  const moved = zip(first.shift, second.scale, (b, a) => b * a);
  const shift = moved && zip(moved, second.shift, (a, b) => a + b);
  if (!scale || !shift || !zip(scale, shift, (a) => a)) return undefined;
  // A shift before the scaling becomes one after it.
  const late = isOnes(second.scale) ? 0 : largest(moved);
  return { scale, shift, growth: Math.max(first.growth, second.growth, late) };
}

function largest(v: Vector): number {
  return v.values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
}

/** Whether scaling by a vector has no effect. */
export function isOnes(v: Vector): boolean {
  return v.values.every((x) => x === 1);
}

/** Whether adding a vector has no effect. */
export function isZeros(v: Vector): boolean {
  return v.values.every((x) => x === 0);
}
