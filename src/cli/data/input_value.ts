import { BnfixError } from '../../errors.js';
import { shapeText } from '../../freezing/text.js';
import type { GraphInput } from '../../proof/samples.js';
import { fitsShape, numbersOf, type TensorValue, tensorValue } from '../../run/value.js';
import { isImage, type Pixels, readImage } from './image.js';
import { isNpy, readNpy } from './npy.js';
import { isNpz, readNpz } from './npz.js';

/** A file with values of an input. */
export interface InputFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * The value of an input from files: arrays and pictures, one after the other along the first axis. Pictures get the size that the
 * input asks for.
 * @throws BnfixError `unreadable` for a corrupt file, `usage` for one that does not fit
 */
export function inputValue(files: readonly InputFile[], input: GraphInput, pixels: Pixels): TensorValue {
  const parts = files.map((file) => ({ name: file.name, value: partOf(file, input, pixels) }));
  return joined(parts, input);
}

/** A part of the examples of an input, and the file that it is from. */
export interface InputPart {
  readonly name: string;
  readonly value: TensorValue;
}

/**
 * The value of an input whose parts are one after the other along the first axis, in its dtype.
 * @throws BnfixError `usage` for parts that do not fit together, or do not fit the input
 */
export function joined(files: readonly InputPart[], input: GraphInput): TensorValue {
  const parts = files.map(({ value }) => value);
  const [first, ...others] = parts;
  if (!first) throw new BnfixError('usage', `${input.name} has no files`, { where: input.name });
  for (const [i, { shape }] of others.entries()) {
    if (`${shape.slice(1)}` === `${first.shape.slice(1)}`) continue;
    throw new BnfixError('usage', `${files[i + 1]!.name} has another shape than ${files[0]!.name}`, {
      where: files[i + 1]!.name,
      why: `[${shape}], [${first.shape}]`,
    });
  }
  if (others.length === 0) return converted(first, input);
  const scalar = files.find(({ value }) => value.shape.length === 0);
  if (scalar) throw new BnfixError('usage', `${scalar.name} has no axis of examples`, { where: scalar.name });
  const rows = parts.reduce((sum, { shape }) => sum + shape[0]!, 0);
  const numbers = new Float64Array(parts.reduce((sum, part) => sum + part.data.length, 0));
  let at = 0;
  for (const part of parts) {
    numbers.set(numbersOf(part), at);
    at += part.data.length;
  }
  return converted(tensorValue(first.dtype, [rows, ...first.shape.slice(1)], numbers), input);
}

/** The array or the picture in a file. @throws BnfixError `unreadable`, `usage` like {@link inputValue} */
export function partOf({ name, bytes }: InputFile, input: GraphInput, pixels: Pixels): TensorValue {
  if (isNpy(bytes)) return readNpy(bytes, name);
  if (isNpz(bytes)) return arrayOf(readNpz(bytes, name), input.name, name);
  if (isImage(bytes)) return pictureOf(bytes, name, input, pixels);
  throw new BnfixError('unreadable', 'unknown type of input file', {
    where: name,
    why: 'an input is a .npy or .npz file, or a PNG or JPEG picture',
  });
}

function arrayOf(arrays: ReadonlyMap<string, TensorValue>, input: string, where: string): TensorValue {
  const own = arrays.get(input) ?? arrays.get(input.replaceAll('/', '_'));
  const only = arrays.size === 1 ? [...arrays.values()][0] : undefined;
  if (own ?? only) return (own ?? only)!;
  throw new BnfixError('usage', `${where} has no array ${input}`, {
    where,
    why: `its arrays: ${[...arrays.keys()].join(', ') || 'none'}`,
  });
}

/** A picture as an input takes it; its pixels are rounded for one of integers. */
function pictureOf(
  bytes: Uint8Array,
  name: string,
  { shape, name: input, dtype }: GraphInput,
  pixels: Pixels,
): TensorValue {
  if (shape && shape.length !== 3 && shape.length !== 4) {
    throw new BnfixError('usage', `${input} does not take pictures`, {
      where: name,
      why: `its shape is ${shapeText(shape)}`,
      fix: 'give it a .npy file',
    });
  }
  const sizes = shape?.slice(-3) ?? [-1, -1, -1];
  const isChannelsFirst = [1, 3].includes(sizes[0]!) && ![1, 3, 4].includes(sizes[2]!);
  const [height, width, channels] = isChannelsFirst
    ? [sizes[1]!, sizes[2]!, sizes[0]!]
    : (sizes as [number, number, number]);
  const size = { height: height > 0 ? height : undefined, width: width > 0 ? width : undefined };
  const fitted = readImage(bytes, name, pixels, channels > 0 ? channels : undefined, size);
  const ordered = isChannelsFirst ? channelsFirst(fitted) : fitted;
  return isInteger(dtype) ? tensorValue('float64', ordered.shape, numbersOf(ordered).map(Math.round)) : ordered;
}

function channelsFirst(image: TensorValue): TensorValue {
  const [batch, height, width, channels] = image.shape as [number, number, number, number];
  const from = numbersOf(image);
  const size = height * width;
  const numbers = from.map((_, i) => from[(i % size) * channels + Math.floor(i / size)]!);
  return tensorValue(image.dtype, [batch, channels, height, width], numbers);
}

/** A value in the dtype of an input; without its first axis where the input has one axis less. */
function converted(value: TensorValue, { dtype, shape, name }: GraphInput): TensorValue {
  const isExtra = shape && value.shape.length === shape.length + 1 && value.shape[0] === 1;
  const sizes = isExtra ? value.shape.slice(1) : value.shape;
  if (shape && shape.length > 0 && !fitsShape(sizes, shape)) {
    throw new BnfixError('usage', `${name} is ${shapeText(shape)}, but its value is [${sizes.join(',')}]`, {
      where: name,
    });
  }
  return dtype === value.dtype ? { ...value, shape: sizes } : recast({ ...value, shape: sizes }, dtype, name);
}

/** A value in another dtype. @throws BnfixError `usage` if integers cannot represent it */
function recast(value: TensorValue, dtype: string, name: string): TensorValue {
  const numbers = numbersOf(value);
  if (!isInteger(dtype)) return tensorValue(dtype, value.shape, numbers);
  const wrong = (number: number | undefined) =>
    new BnfixError('usage', `${name} is ${dtype}, but its value contains ${number}`, { where: name });
  const fraction = numbers.findIndex((number) => !Number.isInteger(number));
  if (fraction >= 0) throw wrong(numbers[fraction]);
  const integers = tensorValue(dtype, value.shape, numbers);
  const outside = numbersOf(integers).findIndex((integer, i) => integer !== numbers[i]);
  if (outside >= 0) throw wrong(numbers[outside]);
  return integers;
}

const isInteger = (dtype: string) => /^u?int\d+$/.test(dtype);
