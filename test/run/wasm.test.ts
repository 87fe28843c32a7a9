import { describe, expect, it } from 'vitest';
import { attr } from '../../src/graph/attrs.js';
import { runGraph } from '../../src/run/run.js';
import { numbersOf } from '../../src/run/value.js';
import { estimatedWork } from '../../src/run/work.js';
import { constant, graphOf, node, placeholder, T_FLOAT } from '../support/build.js';
import { counted, counting, floats } from '../support/run.js';

const KERNEL = [3, 3, 16, 32];
/** Between -0.5 and 0.5, with a mean other than 0. */
const small = (shape: readonly number[]) => counting(shape).map((number) => Math.fround((number % 7) / 14 + 0.1));

/** A convolution of 128 x 128 pixels: 75 million multiplications, and what surrounds it in a net. */
function convolution() {
  const attrs = { ...T_FLOAT, strides: { list: { i: [1, 1, 1, 1] } }, padding: attr.string('SAME') };
  return graphOf([
    placeholder('x'),
    constant('kernel', small(KERNEL), KERNEL),
    node('conv', 'Conv2D', ['x', 'kernel'], attrs),
    constant('axes', [1, 2], [2], 3),
    node('y', 'Mean', ['conv', 'axes'], { ...T_FLOAT, Tidx: attr.type(3) }),
  ]);
}

describe('a large net', () => {
  const x = floats([1, 128, 128, 16], small([1, 128, 128, 16]));

  it('is computed in WebAssembly, with the result of the definition', async () => {
    const graph = convolution();
    expect(estimatedWork(graph, [x])).toBe(128 * 128 * 3 * 3 * 16 * 32);
    const { y } = await runGraph(graph, { x }, ['y']);
    const expected = meanOfConvolution(numbersOf(x), small(KERNEL));
    expect([...numbersOf(y!)]).toEqual(expected.map((number) => expect.closeTo(number, 2)));
  });

  it('of three dimensions is not: half of the result would be missing', () => {
    const attrs = { ...T_FLOAT, strides: { list: { i: [1, 1, 1, 1, 1] } }, padding: attr.string('SAME') };
    const graph = graphOf([
      placeholder('x'),
      constant('k', counting([1, 1, 1, 2, 2]), [1, 1, 1, 2, 2]),
      node('y', 'Conv3D', ['x', 'k'], attrs),
    ]);
    expect(estimatedWork(graph, [counted([1, 4, 4, 4, 2])])).toBe(0);
  });
});

/** The mean over all pixels of a 3 x 3 convolution with padding, for each output channel. */
function meanOfConvolution(x: Float64Array, kernel: readonly number[]): number[] {
  const sums = new Float64Array(32);
  for (let row = 0; row < 3; row++) {
    for (let column = 0; column < 3; column++) {
      const totals = shiftedSums(x, row - 1, column - 1);
      for (let i = 0; i < 16; i++) {
        for (let o = 0; o < 32; o++) sums[o]! += totals[i]! * kernel[((row * 3 + column) * 16 + i) * 32 + o]!;
      }
    }
  }
  return Array.from(sums, (sum) => sum / (128 * 128));
}

/** The sum of each channel over the pixels that a shifted image has. */
function shiftedSums(x: Float64Array, dy: number, dx: number): Float64Array {
  const sums = new Float64Array(16);
  for (let row = Math.max(0, dy); row < 128 + Math.min(0, dy); row++) {
    for (let column = Math.max(0, dx); column < 128 + Math.min(0, dx); column++) {
      for (let c = 0; c < 16; c++) sums[c]! += x[(row * 128 + column) * 16 + c]!;
    }
  }
  return sums;
}
