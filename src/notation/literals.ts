import { BnfixError } from '../errors.js';
import { DataType, dtypeName } from '../graph/dtype.js';
import { byteSize, elementCount, numberTensor, readNumbers, stringTensor, type Tensor } from '../graph/tensor.js';
import { notationError } from './tokens.js';

/** Names of dtypes in TensorFlow and NumPy: `float` and `float32`. */
export const DTYPES: ReadonlyMap<string, DataType> = new Map(
  Object.values(DataType)
    .filter((value): value is DataType => typeof value === 'number')
    .flatMap((dtype) => [
      [dtypeName(dtype), dtype],
      [(DataType[dtype] as string).slice(3).toLowerCase(), dtype],
    ]),
);

/** A parsed constant: its elements, row-major, in the shape given by the brackets. */
export interface Literal {
  readonly shape: readonly number[];
  readonly elements: readonly (number | boolean | string)[];
  /** Its dtype in `tf.constant`: int32 for numbers without a point, float32 for `[]`. */
  readonly dtype: DataType;
  /** The line that it starts in. */
  readonly line: number;
}

/** The tensor of a literal. A single element fills the given shape. */
export function literalTensor({ elements, line, ...own }: Literal, dtype = own.dtype, shape = own.shape): Tensor {
  const all = elements.length === 1 ? new Array(elementCount(shape)).fill(elements[0]) : elements;
  if (all.length !== elementCount(shape)) {
    throw notationError(line, `${all.length} values for a constant of shape [${shape}]`);
  }
  if (dtype !== DataType.DT_STRING) return numberTensor(dtype, shape, all.map(Number));
  return stringTensor(
    shape,
    all.map((text) => new TextEncoder().encode(String(text))),
  );
}

/** A constant with only dtype, shape and hash in the text. Its numbers cannot be read. */
export function abbreviatedTensor(dtype: DataType, shape: readonly number[], hash: string): Tensor {
  const refuse = () => {
    throw new BnfixError('unreadable', `the numbers of the constant ${hash} are not in the text`);
  };
  return { dtype, shape, byteLength: byteSize(dtype, shape), chunks: refuse, strings: refuse, origin: hash };
}

/** The elements of a tensor in the notation; undefined if they cannot be written in it. */
export function elementTexts(tensor: Tensor): string[] | undefined {
  if (isAbbreviated(tensor)) return undefined;
  if (tensor.dtype === DataType.DT_STRING) return stringTexts(tensor);
  try {
    const numbers = Array.from(readNumbers(tensor));
    if (tensor.dtype === DataType.DT_BOOL) return numbers.map((x) => String(x !== 0));
    if (!FLOATS.includes(tensor.dtype)) return numbers.every(Number.isSafeInteger) ? numbers.map(String) : undefined;
    return numbers.map((x) => floatText(x, tensor.dtype === DataType.DT_DOUBLE));
  } catch (error) {
    if (error instanceof BnfixError && error.code === 'unsupported') return undefined;
    throw error;
  }
}

const FLOATS: readonly DataType[] = [DataType.DT_FLOAT, DataType.DT_DOUBLE, DataType.DT_HALF, DataType.DT_BFLOAT16];

function stringTexts(tensor: Tensor): string[] | undefined {
  const texts = tensor.strings().map(quotedText);
  return texts.includes(undefined) ? undefined : (texts as string[]);
}

/** A string in quotes; undefined if it is not UTF-8. */
export function quotedText(bytes: Uint8Array): string | undefined {
  try {
    return JSON.stringify(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

/** The shortest decimal that parses as the same float32 (or float64), always with a point or an exponent. */
export function floatText(x: number, isDouble = false): string {
  if (Number.isNaN(x)) return 'nan';
  if (!Number.isFinite(x)) return x > 0 ? 'inf' : '-inf';
  if (Object.is(x, -0)) return '-0.0';
  let text = String(x);
  for (let digits = 1; digits <= 9 && !isDouble; digits++) {
    const short = Number(x.toPrecision(digits));
    if (Math.fround(short) !== Math.fround(x)) continue;
    text = String(short);
    break;
  }
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

/** The shape of a constant may need any number of bytes, whatever the file holds. */
const MAX_HASHED_BYTES = 4 * 2 ** 20;

/** A hash of the first bytes of a tensor (FNV-1a), for constants that are too large to print. */
export function hashText(tensor: Tensor): string {
  if (isAbbreviated(tensor)) return tensor.origin!;
  let hash = 0x811c9dc5;
  let left = MAX_HASHED_BYTES;
  for (const bytes of tensor.dtype === DataType.DT_STRING ? tensor.strings() : tensor.chunks()) {
    for (const byte of bytes.subarray(0, left)) hash = Math.imul(hash ^ byte, 0x01000193);
    left -= bytes.length;
    if (left <= 0) break;
  }
  return `#${(hash >>> 0).toString(16).padStart(8, '0')}`;
}

function isAbbreviated({ origin }: Tensor): boolean {
  return origin !== undefined && /^#[0-9a-f]+$/.test(origin);
}
