import { isTrainingFused } from '../analysis/training/batch_statistics.js';
import { attrFloat, attrString } from '../graph/attrs.js';
import { type Node, tensorName } from '../graph/node.js';
import { numbersOf, type TensorValue, type TensorValues } from '../run/value.js';

/** The default of the op (tensorflow/core/ops/nn_ops.cc). */
const DEFAULT_EPSILON = 1e-4;

/**
 * The output of a fused batch norm at inference, in double precision, of any rank and data_format:
 * (x - mean) / sqrt(variance + epsilon) * scale + offset.
 * @returns undefined for one in training mode
 * @param values - its inputs 1 to 4: scale, offset, mean, variance
 */
export function fusedFormula(node: Node, x: TensorValue, values: TensorValues): Float64Array | undefined {
  if (isTrainingFused(node)) return undefined;
  const [scale, offset, mean, variance] = node.inputs.slice(1, 5).map((ref) => {
    const value = values[tensorName(ref)];
    return value && numbersOf(value);
  });
  if (!scale || !offset || !mean || !variance) return undefined;
  const epsilon = attrFloat(node, 'epsilon') ?? DEFAULT_EPSILON;
  const isChannelsFirst = attrString(node, 'data_format')?.startsWith('NC') === true;
  const channels = mean.length;
  const inner = isChannelsFirst ? x.shape.slice(2).reduce((product, size) => product * size, 1) : 1;
  const factors = Array.from(variance, (v, c) => (scale[c] ?? 1) / Math.sqrt(v + epsilon));
  return numbersOf(x).map((number, i) => {
    const c = Math.floor(i / inner) % channels;
    return (number - mean[c]!) * factors[c]! + offset[c]!;
  });
}
