import { describe, expect, it } from 'vitest';
import { parseGraph } from '../../src/notation/parse.js';
import { type SampleOptions, samples } from '../../src/proof/samples.js';
import { type TensorValue, tensorValue } from '../../src/run/value.js';

/** The shapes of samples for placeholders. */
function shapesOf(text: string, given: Record<string, TensorValue> = {}, options: SampleOptions = {}) {
  const graph = parseGraph(text);
  const outputs = [...graph.nodes()].map(({ name }) => ({ node: name, port: 0 }));
  return samples(graph, outputs, given, graph, options).map(({ value }) => value.shape);
}

describe('the batch of random inputs', () => {
  it('is 4, or 2 if an example is large, or as given', () => {
    expect(shapesOf('x = Placeholder[shape=[?, 224, 224, 3]]')).toEqual([[4, 224, 224, 3]]);
    expect(shapesOf('x = Placeholder[shape=[?, 512, 512, 3]]')).toEqual([[2, 512, 512, 3]]);
    expect(shapesOf('x = Placeholder[shape=[?, 2]]', {}, { batch: 7 })).toEqual([[7, 2]]);
    expect(shapesOf('x = Placeholder[shape=[1, 512, 512, 3]]')).toEqual([[1, 512, 512, 3]]);
  });

  it('is that of the inputs which are given', () => {
    const x = tensorValue('float32', [3, 2], [1, 2, 3, 4, 5, 6]);
    const text = 'x = Placeholder[shape=[?, 2]]\nz = Placeholder[shape=[?, 5]]\nfixed = Placeholder[shape=[6, ?]]';
    expect(shapesOf(text, { 'x:0': x })).toEqual([
      [3, 2],
      [3, 5],
      [6, 32],
    ]);
  });

  it('is that of inputs which always have the same, or whose shape is given', () => {
    const fixed = 'x = Placeholder[shape=[?, 2]]\nz = Placeholder[shape=[6, 5]]\nprior = Placeholder[shape=[1, 7]]';
    const sizes = (text: string, options: SampleOptions = {}) => shapesOf(text, {}, options).map(([first]) => first);
    expect(sizes(fixed)).toEqual([6, 6, 1]);
    expect(sizes(fixed, { shapes: { 'x:0': [3, 2] } })).toEqual([3, 6, 1]);
    expect(sizes('x = Placeholder[shape=[?, 2]]\nz = Placeholder[shape=[?, 5]]', { shapes: { z: [3, 5] } })).toEqual([
      3, 3,
    ]);
    // A vector may be a table, and two sizes do not tell which one is the batch.
    expect(sizes('x = Placeholder[shape=[?, 2]]\nt = Placeholder[shape=[6]]')).toEqual([4, 6]);
    expect(sizes(`${fixed}\nw = Placeholder[shape=[7, 2]]`)).toEqual([4, 6, 1, 7]);
  });
});
