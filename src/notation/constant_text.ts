import { DataType, dtypeName } from '../graph/dtype.js';
import { elementCount, type Tensor } from '../graph/tensor.js';
import { elementTexts, hashText } from './literals.js';

/** Maximum number of elements that are printed. */
const MAX_ELEMENTS = 16;
/** Maximum number of elements that are examined one by one. */
const MAX_COMPARED = 4096;
/** The dtypes of `tf.constant` for numbers with and without a point, for true and false, and for strings. */
const LITERAL_DTYPES: readonly DataType[] = [
  DataType.DT_FLOAT,
  DataType.DT_INT32,
  DataType.DT_BOOL,
  DataType.DT_STRING,
];

/** A constant's value, and whether its dtype and its shape have to be printed as well. */
export function constantText(tensor: Tensor): { text: string; isTyped: boolean; isShaped: boolean } {
  const { dtype, shape } = tensor;
  const count = elementCount(shape);
  const texts = count > MAX_COMPARED ? undefined : elementTexts(tensor);
  const isUniform = count > 1 && texts !== undefined && new Set(texts).size === 1;
  if (!texts || (count > MAX_ELEMENTS && !isUniform)) {
    const text = `${dtypeName(dtype)}[${shape.join(', ')}] ${hashText(tensor)}`;
    return { text, isTyped: false, isShaped: false };
  }
  if (count > MAX_ELEMENTS) return { text: texts[0]!, isTyped: true, isShaped: true };
  // Brackets cannot show the sizes after a size of 0.
  const isShaped = shape.slice(0, -1).includes(0);
  const isTyped = isShaped || !LITERAL_DTYPES.includes(dtype) || (count === 0 && dtype !== DataType.DT_FLOAT);
  return { text: isShaped ? '[]' : nested(texts, shape), isTyped, isShaped };
}

function nested(texts: readonly string[], [size, ...rest]: readonly number[]): string {
  if (size === undefined) return texts[0]!;
  const step = elementCount(rest);
  const rows = Array.from({ length: size }, (_, i) => nested(texts.slice(i * step, (i + 1) * step), rest));
  return `[${rows.join(', ')}]`;
}
