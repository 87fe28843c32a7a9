import type { TensorInfo } from '../freezing/report.js';
import { exampleShape, type FrozenFile, variableNames } from './frozen_file.js';

/** Types of NumPy whose name differs from the dtype of TensorFlow. */
const TYPES: Readonly<Record<string, string>> = { bool: 'np.bool_', bfloat16: 'tf.bfloat16.as_numpy_dtype' };

/** The dtypes of TensorFlow that NumPy has without TensorFlow. */
export const NUMPY_DTYPES: readonly string[] = [
  ...['float16', 'float32', 'float64', 'complex64', 'complex128', 'bool', 'string'],
  ...['int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64'],
];

/** Python that makes a value for each input: zeros, of the shape that the graph expects. */
export function inputValues({ inputs }: Pick<FrozenFile, 'inputs'>): string[] {
  const names = variableNames(inputs);
  return inputs.map((input, i) => `${names[i]} = ${arrayText(input)}`);
}

function arrayText(input: TensorInfo): string {
  const sizes = exampleShape(input);
  const shape = sizes === undefined ? 'SHAPE' : tupleText(sizes);
  if (input.dtype === 'string') return `np.full(${shape}, b'', object)`;
  return `np.zeros(${shape}, ${TYPES[input.dtype] ?? `np.${input.dtype}`})`;
}

function tupleText(sizes: readonly number[]): string {
  return sizes.length === 1 ? `(${sizes[0]},)` : `(${sizes.join(', ')})`;
}
