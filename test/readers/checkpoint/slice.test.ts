import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Box, boxOf, sliceText } from '../../../src/graph/slices.js';
import { encodeTensorNameSlice } from '../../../src/readers/checkpoint/ordered_code.js';
import { coverageFault, runs, sliceOfProto } from '../../../src/readers/checkpoint/slice.js';
import { failure } from '../../support/failure.js';
import { randomRuns } from '../../support/random.js';
import { elementsOf } from './write_table.js';

const slice = (...extents: [number, number][]) => extents.map(([start, length]) => ({ start, length }));

describe('the key of a slice', () => {
  it.each([
    // Keys that TensorFlow 2.12 and 1.15 wrote.
    ['p1', slice([0, 6], [0, 3], [0, 5]), '00703100010103808680838085'],
    ['p1', slice([0, 6], [5, 2], [0, 5]), '00703100010103808685828085'],
    ['pbig0', slice([0, 500], [0, 2000]), '0070626967300001010280c1f480c7d0'],
    ['pbig0', slice([1000, 500], [0, 2000]), '00706269673000010102c3e8c1f480c7d0'],
    ['wide', slice([0, 10000], [0, 3]), '00776964650001010280e027108083'],
    ['wide', slice([10000, 10000], [0, 3]), '007769646500010102e02710e027108083'],
  ])('of %s is what TensorFlow writes', (name, extents, hex) => {
    expect(Buffer.from(encodeTensorNameSlice(name, extents), 'latin1').toString('hex')).toBe(hex);
  });

  it('follows ordered_code.cc where those do not reach', () => {
    const hex = (name: string, extents: Box) =>
      Buffer.from(encodeTensorNameSlice(name, extents), 'latin1').toString('hex');
    expect(hex('', [])).toBe('00' + '0001' + '00');
    expect(hex('a\0b', [])).toBe('00' + '6100ff62' + '0001' + '00');
    expect(hex('\u00ff', [])).toBe('00' + 'c3bf' + '0001' + '00');
    // A whole dimension, and the first and last values of some lengths: a leading one per byte, a zero, the value.
    expect(hex('', slice([0, -1]))).toBe('00' + '0001' + '0101' + '80' + '7f');
    expect(hex('', slice([63, 64]))).toBe('00' + '0001' + '0101' + 'bf' + 'c040');
    expect(hex('', slice([8191, 8192]))).toBe('00' + '0001' + '0101' + 'dfff' + 'e02000');
    expect(hex('', slice([2 ** 34 - 1, 2 ** 34]))).toBe('00' + '0001' + '0101' + 'fbffffffff' + 'fc0400000000');
    expect(hex('', slice([2 ** 52, 0]))).toBe('00' + '0001' + '0101' + 'ff10000000000000' + '80');
  });
});

describe('slices', () => {
  it('are read from their protos, and printed as TensorFlow does', () => {
    const read = sliceOfProto('f', 'x', { extent: [{ start: 3, length: 2 }, {}, { length: 0 }] });
    expect(read).toEqual(slice([3, 2], [0, -1], [0, 0]));
    expect(sliceText(read)).toBe('3,2:-:0,0');
    expect(failure(() => sliceOfProto('f', 'x', { extent: [{ start: -1, length: 2 }] })).message).toBe(
      'x is malformed',
    );
  });

  it('become boxes within the shape only', () => {
    expect(boxOf(slice([1, 2], [0, -1]), [3, 7])).toEqual(slice([1, 2], [0, 7]));
    expect(boxOf([], [])).toEqual([]);
    for (const bad of [slice([1, 3], [0, 7]), slice([0, 3]), slice([0, -2], [0, 7])])
      expect(boxOf(bad, [3, 7])).toBeUndefined();
  });

  it('cover a tensor exactly, or the gap is reported', () => {
    const halves = [slice([0, 4], [0, 2]), slice([0, 4], [2, 3])];
    expect(coverageFault(halves, [4, 5])).toBeUndefined();
    expect(coverageFault([slice([0, 4], [0, 2])], [4, 5])).toBe('its parts hold 8 of 20 elements');
    expect(coverageFault([...halves, slice([3, 1], [4, 1])], [4, 5])).toBe('the parts 0,4:2,3 and 3,1:4,1 overlap');
    // As many elements as the tensor has, but some twice and some never.
    expect(coverageFault([slice([0, 3]), slice([2, 2])], [5])).toBe('the parts 0,3 and 2,2 overlap');
    expect(coverageFault([[]], [])).toBeUndefined();
    expect(coverageFault([[], []], [])).toContain('overlap');
    expect(coverageFault([], [])).toBe('its parts hold 0 of 1 elements');
  });

  it('are copied element by element where they should be (property)', () => {
    const extent = fc.tuple(fc.nat(4), fc.nat(4)).map(([start, length]) => ({ start, length }));
    const boxes = fc
      .nat(4)
      .chain((rank) => fc.tuple(...[0, 1].map(() => fc.array(extent, { minLength: rank, maxLength: rank }))));
    fc.assert(
      fc.property(boxes, ([target, source]) => {
        const shape = target!.map(() => 9);
        // The elements of each box by their number in the whole tensor.
        const [to, from] = [elementsOf(shape, target!), elementsOf(shape, source!)];
        const copied = new Map<number, number>();
        for (const run of runs(target!, source!)) {
          for (let i = 0; i < run.count; i++) {
            expect(copied.has(run.to + i)).toBe(false);
            copied.set(run.to + i, run.from + i);
          }
        }
        const expected = to.flatMap((element, i) =>
          from.includes(element) ? [[i, from.indexOf(element)] as const] : [],
        );
        expect([...copied].sort(([a], [b]) => a - b)).toEqual(expected);
      }),
      randomRuns(100),
    );
  });
});
