import { BnfixError } from '../errors.js';
import { shapeText } from '../freezing/text.js';
import type { GraphInput } from '../proof/samples.js';
import { fitsShape, numbersOf, rowsOf, type TensorValue, type TensorValues } from '../run/value.js';

/** Examples of an input that are read when they are needed. */
export interface ExampleSource {
  /** How many there are. */
  readonly count: number;
  /** Some of them, along the first axis. They may be asked for several times. */
  read(start: number, count: number): TensorValue | Promise<TensorValue>;
}

/** Examples by input: the name of a placeholder. A value has its examples along the first axis. */
export type CalibrationData = Readonly<Record<string, TensorValue | ExampleSource>>;

/** Some examples of all inputs. */
export interface Batch {
  readonly values: TensorValues;
  /** The index of the first one. */
  readonly first: number;
  readonly size: number;
}

const DEFAULT_BATCH = 32;

/** The examples of all inputs of a graph, batch by batch, as often as wanted. */
export class Batches {
  /** How many examples there are. */
  readonly examples: number;
  /** How many are in a batch, apart from the last one. */
  readonly size: number;
  readonly #sources: readonly (readonly [name: string, source: ExampleSource])[];
  readonly #fixed: TensorValues;
  readonly #declared: ReadonlyMap<string, GraphInput>;
  /** Whether the graph leaves it open how many examples are run at a time. */
  readonly #isOpen: boolean;

  /**
   * @param inputs - the placeholders that are needed
   * @param size - how many examples to run at a time, where the graph leaves it open
   * @throws BnfixError `usage` for an input without data, or for data that do not fit together
   */
  constructor(inputs: readonly GraphInput[], data: CalibrationData, size: number | undefined) {
    const given = new Map(Object.entries(data).map(([name, value]) => [name.replace(/:0$/, ''), value]));
    const sources: (readonly [string, ExampleSource])[] = [];
    const fixed: Record<string, TensorValue> = {};
    const sizes = new Map<string, number>();
    for (const input of inputs) {
      const value = given.get(input.name);
      if (value === undefined) throw withoutData(input, inputs);
      const batch = batchOf(input);
      if (batch === 'none' || (isValue(value) && isAlways(value, input))) fixed[input.name] = alone(value, input);
      else {
        sources.push([input.name, isValue(value) ? sliced(value) : value]);
        if (batch !== 'open') sizes.set(input.name, batch);
      }
    }
    this.#sources = sources;
    this.#fixed = fixed;
    this.#declared = new Map(inputs.map((input) => [input.name, input]));
    const counts = sources.map(([name, { count }]) => ({ name, count }));
    this.examples = counts[0]?.count ?? firstSize(inputs, fixed);
    refuseDifferent(counts, sizes);
    const [forced] = sizes.values();
    this.#isOpen = forced === undefined && sources.length > 0;
    for (const [name, value] of Object.entries(fixed)) refuseNotFinite(name, value, 0, this.examples);
    this.size = forced ?? (this.#isOpen ? Math.min(size ?? DEFAULT_BATCH, this.examples) : this.examples);
    if (this.examples === 0) throw new BnfixError('usage', 'no examples given', { option: 'data' });
    if (forced !== undefined && this.examples % forced !== 0)
      throw notWhole(this.examples, forced, [...sizes.keys()][0]!);
  }

  /** The inputs that have data. */
  get names(): string[] {
    return [...this.#declared.keys()];
  }

  /** How many batches there are. */
  get count(): number {
    return Math.ceil(this.examples / this.size);
  }

  /** All examples, in order. */
  async *all(): AsyncGenerator<Batch> {
    for (let first = 0; first < this.examples; first += this.size) {
      yield await this.#read(first, Math.min(this.size, this.examples - first));
    }
  }

  /** Some of the first examples: a batch, or fewer where the graph leaves it open. */
  first(most: number): Promise<Batch> {
    return this.#read(0, this.#isOpen ? Math.min(most, this.size) : this.size);
  }

  async #read(first: number, size: number): Promise<Batch> {
    const values: Record<string, TensorValue> = { ...this.#fixed };
    for (const [name, source] of this.#sources) {
      const value = await source.read(first, size);
      refuseUnfit(this.#declared.get(name)!, value, size);
      refuseNotFinite(name, value, first, size);
      values[name] = value;
    }
    return { values, first, size };
  }
}

function isValue(value: TensorValue | ExampleSource): value is TensorValue {
  return 'shape' in value;
}

/** How many examples a placeholder takes: any number, a fixed one, or none since it has no first axis. */
function batchOf({ shape }: GraphInput): 'open' | 'none' | number {
  // Before TensorFlow 1.0, [] meant a placeholder of any shape; one that is fed a scalar has no examples.
  if (shape === undefined) return 'open';
  const [first] = shape;
  return first === undefined ? 'none' : first < 0 ? 'open' : first;
}

/** Whether a value is all that a placeholder of a fixed size takes: it is the same for all examples, or all of them. */
function isAlways({ shape: own }: TensorValue, { shape }: GraphInput): boolean {
  return shape?.every((size) => size >= 0) === true && `${shape}` === `${own}`;
}

function alone(value: TensorValue | ExampleSource, { name }: GraphInput): TensorValue {
  if (isValue(value)) return value;
  throw new BnfixError('usage', `${name} takes one value, not examples`, { where: name, option: 'data' });
}

function sliced(value: TensorValue): ExampleSource {
  return { count: value.shape[0] ?? 0, read: (start, count) => rowsOf(value, start, count) };
}

/** The examples of a graph all of whose inputs have a fixed size. */
function firstSize(inputs: readonly GraphInput[], fixed: TensorValues): number {
  const sizes = inputs.flatMap(({ name }) => fixed[name]?.shape[0] ?? []);
  return sizes[0] ?? 1;
}

function refuseDifferent(
  counts: readonly { readonly name: string; readonly count: number }[],
  sizes: ReadonlyMap<string, number>,
): void {
  const other = counts.find(({ count }) => count !== counts[0]!.count);
  if (other) {
    const [first] = counts;
    throw new BnfixError('usage', `${first!.name} has ${first!.count} examples, ${other.name} has ${other.count}`, {
      where: other.name,
      option: 'data',
    });
  }
  const [first] = sizes;
  const differing = [...sizes].find(([, size]) => size !== first![1]);
  if (!differing) return;
  throw new BnfixError('usage', `${first![0]} takes ${first![1]} examples at a time, ${differing[0]} ${differing[1]}`, {
    where: differing[0],
    option: 'data',
  });
}

function withoutData({ name }: GraphInput, inputs: readonly GraphInput[]): BnfixError {
  return new BnfixError('usage', `no data for the input ${name}`, {
    where: name,
    option: 'data',
    why: `batch norms need examples of ${inputs.map((input) => input.name).join(', ')}`,
    fix: { option: 'data', value: `${name}=FILES`, text: 'gives them: arrays or pictures' },
  });
}

function notWhole(examples: number, size: number, name: string): BnfixError {
  const whole = Math.floor(examples / size) * size;
  return new BnfixError('usage', `${name} takes ${size} examples at a time, and there are ${examples}`, {
    where: name,
    option: 'data',
    fix: whole > 0 ? `give ${whole} or ${whole + size} examples` : `give ${size} examples`,
  });
}

function refuseUnfit({ name, shape, dtype }: GraphInput, value: TensorValue, size: number): void {
  const about = { where: name, option: 'data' };
  if (shape && !fitsShape(value.shape, shape)) {
    throw new BnfixError('usage', `${name} is ${shapeText(shape)}, but its value is ${shapeText(value.shape)}`, about);
  }
  if (value.dtype !== dtype) {
    throw new BnfixError('usage', `${name} is ${dtype}, but its value is ${value.dtype}`, about);
  }
  if (value.shape[0] !== size) {
    throw new BnfixError('usage', `${name} has ${value.shape[0]} examples where ${size} were asked for`, about);
  }
}

/** NaN in the data would be NaN in every statistic. */
function refuseNotFinite(name: string, value: TensorValue, first: number, size: number): void {
  if (!/float|complex/.test(value.dtype)) return;
  const numbers = numbersOf(value);
  const at = numbers.findIndex((number) => !Number.isFinite(number));
  if (at < 0) return;
  const example = first + Math.floor(at / Math.max(1, numbers.length / size));
  throw new BnfixError('usage', `${name} contains ${numbers[at]}, in example ${example}`, {
    where: name,
    option: 'data',
    why: 'it would be in every statistic; examples are counted from 0',
    fix: 'leave that example out',
  });
}
