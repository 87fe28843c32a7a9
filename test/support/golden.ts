import { readFileSync } from 'node:fs';
import { rawTensor, readNumbers } from '../../src/graph/tensor.js';
import { dtypeOf, type TensorValue, tensorValue } from '../../src/run/value.js';

/** A tensor as the fixture scripts write it: base64 of the raw little-endian bytes, or of each string. */
interface TensorJson {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: string | readonly string[];
}

/** Values by the names of tensors. */
export type Tensors = Readonly<Record<string, TensorValue>>;

/** What real TensorFlow answered. */
export interface Golden {
  readonly inputs: Tensors;
  /** Of the true inference graph. */
  readonly outputs: Tensors;
  /** Of the training graph, as it was saved. */
  readonly before: Tensors;
  /** Other inputs, where there are some. */
  readonly more: readonly Golden[];
}

/** Values as the fixture scripts write them. */
export function tensorsOf(json: Readonly<Record<string, TensorJson>> = {}): Tensors {
  return Object.fromEntries(Object.entries(json).map(([name, tensor]) => [name, valueIn(tensor)]));
}

function valueIn({ dtype, shape, data }: TensorJson): TensorValue {
  const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'base64'));
  if (typeof data !== 'string') return tensorValue(dtype, shape, data.map(bytes));
  return tensorValue(dtype, shape, readNumbers(rawTensor(dtypeOf(dtype), shape, bytes(data))));
}

interface GoldenJson {
  readonly inputs: Readonly<Record<string, TensorJson>>;
  readonly outputs: Readonly<Record<string, TensorJson>>;
  readonly before?: Readonly<Record<string, TensorJson>>;
  readonly more?: readonly GoldenJson[];
}

function goldenOf(json: GoldenJson): Golden {
  const { inputs, outputs, before, more = [] } = json;
  return {
    inputs: tensorsOf(inputs),
    outputs: tensorsOf(outputs),
    before: tensorsOf(before),
    more: more.map(goldenOf),
  };
}

export function readGolden(path: string): Golden {
  return goldenOf(JSON.parse(readFileSync(path, 'utf8')));
}
