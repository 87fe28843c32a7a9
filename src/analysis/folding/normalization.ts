import { attrBool, attrString, attrType } from '../../graph/attrs.js';
import { DataType } from '../../graph/dtype.js';
import type { Node } from '../../graph/node.js';
import { epsilonAttr } from '../../ops/epsilon.js';
import { isFloat } from '../values/vectors.js';
import type { AffineOp } from './affine_op.js';
import type { FoldView } from './view.js';

/** The shape of a parameter along the channels of a layout. */
function channelShape(format: string, size: number): number[] {
  return format.startsWith('NC') ? [size, ...new Array<number>(format.length - 2).fill(1)] : [size];
}

/** A FusedBatchNorm of any version in inference mode, with constant parameters and unused statistics outputs. */
export function fusedBatchNorm(view: FoldView, node: Node): AffineOp | undefined {
  if (attrBool(node, 'is_training') ?? true) return undefined;
  if (view.graph.usedPorts(node.name).some((port) => port !== 0)) return undefined;
  const parameters = node.inputs.slice(1, 5).map((ref) => view.constants.vector(ref));
  const [gamma, beta, mean, variance] = parameters;
  const size = gamma?.values.length ?? 0;
  if (parameters.some((p) => p?.values.length !== size) || size === 0) return undefined;
  const dtype = attrType(node, 'T') ?? DataType.DT_FLOAT;
  if (!isFloat(dtype)) return undefined;
  return normalization(node, dtype, {
    format: attrString(node, 'data_format') ?? 'NHWC',
    epsilon: epsilonAttr(node),
    gamma: gamma!.values,
    beta: beta!.values,
    mean: mean!.values,
    variance: variance!.values,
  });
}

/** The op of TensorFlow before 1.0: inputs t, m, v, beta, gamma. */
export function globalNormalization(view: FoldView, node: Node): AffineOp | undefined {
  const [mean, variance, beta, gamma] = node.inputs.slice(1, 5).map((ref) => view.constants.vector(ref));
  const size = mean?.values.length ?? 0;
  if ([mean, variance, beta, gamma].some((p) => p?.values.length !== size) || size === 0) return undefined;
  const dtype = attrType(node, 'T');
  if (!isFloat(dtype)) return undefined;
  const isScaled = attrBool(node, 'scale_after_normalization') ?? true;
  return normalization(node, dtype, {
    format: 'NHWC',
    epsilon: epsilonAttr(node),
    gamma: isScaled ? gamma!.values : new Float64Array(size).fill(1),
    beta: beta!.values,
    mean: mean!.values,
    variance: variance!.values,
  });
}

interface Normalization {
  readonly format: string;
  readonly epsilon: number;
  readonly gamma: Float64Array;
  readonly beta: Float64Array;
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

function normalization(node: Node, dtype: DataType, norm: Normalization): AffineOp {
  const { gamma, beta, mean, variance, epsilon } = norm;
  const shape = channelShape(norm.format, gamma.length);
  const scale = gamma.map((g, i) => g / Math.sqrt(variance[i]! + epsilon));
  const shift = beta.map((b, i) => b - mean[i]! * scale[i]!);
  let growth = 0;
  for (const [i, s] of scale.entries()) {
    const size = Math.abs(gamma[i]!) + Math.abs(beta[i]!);
    if (s !== 0) growth = Math.max(growth, Math.abs(mean[i]! * s) / size);
  }
  return {
    node,
    x: node.inputs[0]!,
    operand: 1,
    affine: { scale: { shape, values: scale }, shift: { shape, values: shift }, growth },
    batchNorm: node.op,
    cost: 3,
    dtype,
    widens: dtype === DataType.DT_HALF || dtype === DataType.DT_BFLOAT16,
  };
}
