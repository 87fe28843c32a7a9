import { isBatchAxisReduction, isTrainingFused } from '../analysis/training/batch_statistics.js';
import { Shapes } from '../analysis/values/shapes.js';
import { BnfixError } from '../errors.js';
import { parseInput } from '../graph/node.js';
import { ancestors } from '../graph/walk.js';
import { numbersOf, rowsOf, type TensorValue, tensorValue } from '../run/value.js';
import { type Comparison, compare } from './compare.js';
import type { Evaluated } from './evaluated.js';
import { withOrigin } from './origin.js';
import type { Proof } from './report.js';
import { otherSamples, type Sample } from './samples.js';
import { ifRunnable, outputNames, proved, type Subject, skipped } from './subject.js';

/**
 * Proves that the first example of a batch outputs the same when it is alone: with a batch norm in training mode it does not. In a graph
 * of a fixed batch, the other examples are replaced.
 */
export async function proveBatchIndependence(subject: Subject): Promise<Proof> {
  const { inputs, saved, training, repaired } = subject;
  const batched = inputs.filter(({ isBatched }) => isBatched);
  const size = batched[0]?.value.shape[0];
  if (size === undefined) return skipped('batch_independence', { code: 'no_batch_axis' });
  if (size < 2) return skipped('batch_independence', { code: 'batch_of_one' });
  const others = withFirstOf(inputs, otherSamples(inputs, subject.sampling), size);
  const outputs = await changes(subject, repaired, others, size);
  if (outputs.length === 0) return skipped('batch_independence', { code: 'no_batch_axis' });
  const before = (await ifRunnable(() => changes(subject, training?.graph ?? saved, others, size))) ?? [];
  const proof = proved('batch_independence', outputs, outputs, { saved: before, savedFlags: training?.flags });
  const { graph } = repaired;
  const runs = [others, inputs].map((values) => ({ graph, inputs: values }));
  const located = await withOrigin(proof, subject, [runs[0]!, runs[1]!], { view: (value) => firstOf(value, size) });
  if (located.status !== 'failed' || hasBatchStatistics(subject)) return located;
  const node = parseInput(located.firstDifference!.tensor).node;
  return skipped('batch_independence', { code: 'rows_combined', node, op: graph.get(node).op });
}

/** Whether a reduction over the first axis feeds what is compared: other ops may combine its rows because it is not a batch. */
function hasBatchStatistics({ repaired: { graph }, ends }: Subject): boolean {
  const shapes = new Shapes(graph);
  const names = ends.map(({ node }) => node);
  const feeding = [...ancestors(graph, names, false)];
  return feeding.some((node) => isTrainingFused(node) || isBatchAxisReduction(graph, shapes, node));
}

/** By how much the first example changes, at each output that has a batch axis. */
async function changes(subject: Subject, graph: Evaluated, others: readonly Sample[], size: number) {
  const alone = await runAlone(subject, graph, size);
  const names = outputNames(subject);
  const other = alone ?? (await graph.run(others, names));
  const own = await graph.outputs();
  return names.flatMap((name): Comparison[] => {
    const b = firstOf(own[name]!, size);
    const a = alone ? alone[name] : firstOf(other[name]!, size);
    return a && b && `${a.shape}` === `${b.shape}` ? [compare(name, a, b, subject.tolerance)] : [];
  });
}

/** The outputs for the first example alone; undefined if the graph takes only a batch of this size. */
async function runAlone(subject: Subject, graph: Evaluated, size: number) {
  const first = subject.inputs.map((sample) => {
    const { value, isBatched } = sample;
    return isBatched && value.shape[0] === size ? { ...sample, value: rowsOf(value, 0, 1) } : sample;
  });
  try {
    return await graph.run(first, outputNames(subject));
  } catch (error) {
    // Its placeholders, or shapes within it, are of a fixed batch.
    if (error instanceof BnfixError && (error.code === 'unsupported' || error.code === 'usage')) return undefined;
    throw error;
  }
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

/** The rows of the first example: one, or as many as there are to an example; undefined for an output without a batch axis. */
function firstOf(value: TensorValue, size: number): TensorValue | undefined {
  const [rows] = value.shape;
  if (rows === undefined || rows === 0 || rows % size !== 0 || value.dtype === 'string') return undefined;
  return rowsOf(value, 0, rows / size);
}
