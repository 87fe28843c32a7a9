import { readFileSync } from 'node:fs';
import { type TensorValue, valueOfStrings } from '../../src/run/value.js';

/** A tensor as the fixture scripts write it: base64 of the raw little-endian bytes, or of each string. */
interface TensorJson {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: string | readonly string[];
}

type Tensors = Readonly<Record<string, TensorValue>>;

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

function tensors(json: Readonly<Record<string, TensorJson>> = {}): Tensors {
  return Object.fromEntries(Object.entries(json).map(([name, tensor]) => [name, tensorValue(tensor)]));
}

function tensorValue({ dtype, shape, data }: TensorJson): TensorValue {
  if (typeof data === 'string') return { dtype, shape, data: Buffer.from(data, 'base64') };
  return valueOfStrings(
    shape,
    data.map((text) => Buffer.from(text, 'base64')),
  );
}

interface GoldenJson {
  readonly inputs: Readonly<Record<string, TensorJson>>;
  readonly outputs: Readonly<Record<string, TensorJson>>;
  readonly before?: Readonly<Record<string, TensorJson>>;
  readonly more?: readonly GoldenJson[];
}

function goldenOf(json: GoldenJson): Golden {
  const { inputs, outputs, before, more = [] } = json;
  return { inputs: tensors(inputs), outputs: tensors(outputs), before: tensors(before), more: more.map(goldenOf) };
}

export function readGolden(path: string): Golden {
  return goldenOf(JSON.parse(readFileSync(path, 'utf8')));
}
