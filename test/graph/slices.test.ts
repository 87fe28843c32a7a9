import { describe, expect, it } from 'vitest';
import { type Box, parseSliceSpec } from '../../src/graph/slices.js';

const slice = (...extents: [number, number][]): Box => extents.map(([start, length]) => ({ start, length }));

describe('parseSliceSpec', () => {
  it.each<[string, number[], Box]>([
    ['10 4 0,5:0,4', [10, 4], slice([0, 5], [0, 4])],
    ['10 4 5,5:-', [10, 4], slice([5, 5], [0, 4])],
    ['7 -', [7], slice([0, 7])],
    ['3 0 -:-', [3, 0], slice([0, 3], [0, 0])],
  ])('reads "%s"', (spec, shape, expected) => {
    expect(parseSliceSpec(spec)).toEqual({ shape, slice: expected });
  });

  it('takes the empty string for the whole tensor', () => {
    expect(parseSliceSpec('')).toBeUndefined();
  });

  it.each(['10', '10 4 0,5', '10 4 0,5:0,5', '10 4 8,3:-', 'x 0,1', '4 0,-1', '4 -1,2', '4 0;4', '-4 -'])(
    'refuses "%s"',
    (spec) => {
      expect(() => parseSliceSpec(spec)).toThrow(
        expect.objectContaining({ code: 'unreadable', message: `"${spec}" is not a shape and a slice of it` }),
      );
    },
  );
});
