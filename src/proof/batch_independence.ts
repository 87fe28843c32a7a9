import { numbersOf, type TensorValue, tensorValue } from '../run/value.js';
import { type Comparison, compare } from './compare.js';
import type { Evaluated } from './evaluated.js';
import { withOrigin } from './origin.js';
import type { Proof } from './report.js';
import { otherSamples, type Sample } from './samples.js';
import { outputNames, proved, type Subject, skipped } from './subject.js';

/**
 * Proves that the first example of a batch outputs the same whatever the others are: a batch norm in training mode does not.
 * The others are replaced rather than left out, since many graphs have a fixed batch.
 */
export async function proveBatchIndependence(subject: Subject): Promise<Proof> {
  const { inputs, saved, repaired } = subject;
  const batched = inputs.filter(({ isBatched }) => isBatched);
  const size = batched[0]?.value.shape[0];
  if (size === undefined) return skipped('batch_independence', { code: 'no_batch_axis' });
  if (size < 2) return skipped('batch_independence', { code: 'batch_of_one' });
  const others = withFirstOf(inputs, otherSamples(inputs, subject.sampling), size);
  const outputs = await firstRows(subject, repaired, others, size);
  if (outputs.length === 0) return skipped('batch_independence', { code: 'no_batch_axis' });
  const before = await firstRows(subject, saved, others, size);
  const proof = proved('batch_independence', outputs, outputs, { saved: before });
  const { graph } = repaired;
  const runs = [others, inputs].map((values) => ({ graph, inputs: values }));
  return withOrigin(proof, subject, [runs[0]!, runs[1]!], { view: (value) => firstOf(value, size) });
}

/** The first example of `all`, followed by the examples of `others`. */
function withFirstOf(all: readonly Sample[], others: readonly Sample[], size: number): Sample[] {
  return all.map((sample, i) => {
    const { shape, dtype, data } = sample.value;
    if (!sample.isBatched || shape[0] !== size || dtype === 'string') return sample;
    const numbers = numbersOf(others[i]!.value);
    const first = numbers.length / size;
    numbers.set(Array.from(data as ArrayLike<number | bigint>, Number).slice(0, first));
    return { ...sample, value: tensorValue(dtype, shape, numbers) };
  });
}

async function firstRows(
  subject: Subject,
  graph: Evaluated,
  others: readonly Sample[],
  size: number,
): Promise<Comparison[]> {
  const names = outputNames(subject);
  const [own, other] = [await graph.outputs(), await graph.run(others, names)];
  return names.flatMap((name) => {
    const [a, b] = [firstOf(other[name]!, size), firstOf(own[name]!, size)];
    return a && b ? [compare(name, a, b, subject.tolerance)] : [];
  });
}

/** The rows of the first example: one, or as many as there are to an example; undefined for an output without a batch axis. */
function firstOf(value: TensorValue, size: number): TensorValue | undefined {
  const [rows, ...rest] = value.shape;
  if (rows === undefined || rows === 0 || rows % size !== 0 || value.dtype === 'string') return undefined;
  const numbers = numbersOf(value);
  return tensorValue(value.dtype, [rows / size, ...rest], numbers.slice(0, numbers.length / size));
}
