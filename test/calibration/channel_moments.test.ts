import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChannelMoments } from '../../src/calibration/channel_moments.js';
import { arranged, type ChannelAxes, layoutOf } from '../../src/calibration/layout.js';
import { quantityOf } from '../../src/calibration/quantity.js';
import { randomRuns } from '../support/random.js';

/** Moments of rows of `channels` numbers, `examples` at a time. */
function momentsOf(rows: readonly (readonly number[])[], channels: number, examples: number): ChannelMoments {
  const moments = new ChannelMoments(channels);
  for (let at = 0; at < rows.length; at += examples) {
    const batch = rows.slice(at, at + examples);
    const inner = batch[0]!.length / channels;
    moments.add(batch.flat(), { rows: batch.length, outer: inner, channels, inner: 1 }, batch.length);
  }
  return moments;
}

describe('moments of channels', () => {
  it('are those of all numbers, whatever the batches are', () => {
    const rows = (length: number) =>
      fc.array(fc.array(fc.float({ noNaN: true, min: -100, max: 100 }), { minLength: length, maxLength: length }), {
        minLength: 1,
        maxLength: 12,
      });
    const property = fc.property(rows(6), fc.integer({ min: 1, max: 5 }), (all, size) => {
      const [one, other] = [momentsOf(all, 3, all.length), momentsOf(all, 3, size)];
      for (let c = 0; c < 3; c++) {
        const numbers = all.flatMap((row) => [row[c]!, row[c + 3]!]);
        const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
        const squares = numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0);
        expect(one.mean[c]).toBeCloseTo(mean, 9);
        expect(one.squares[c]).toBeCloseTo(squares, 7);
      }
      // Example by example, so that not a bit depends on it.
      expect(other.mean).toEqual(one.mean);
      expect(other.squares).toEqual(one.squares);
      expect(other.standardErrors()).toEqual(one.standardErrors());
    });
    fc.assert(property, randomRuns(200));
  });

  it('keep all digits of a tiny variance beside a large mean', () => {
    // 1e8 and 1e8 + 1e-6 k: in double precision, sums of squares would keep none of them.
    const rows = Array.from({ length: 1000 }, (_, i) => [1e8 + (i % 10) * 2 ** -20]);
    const moments = momentsOf(rows, 1, 7);
    expect(quantityOf('variance', moments)[0]).toBeCloseTo(8.25 * 2 ** -40, 22);
  });

  it('of a constant channel are exact', () => {
    const moments = momentsOf(
      Array.from({ length: 9 }, () => [0.1, 0.7, 0.1, 0.7]),
      2,
      2,
    );
    expect([...moments.mean]).toEqual([0.1, 0.7]);
    expect([...quantityOf('variance', moments)]).toEqual([0, 0]);
    expect([...quantityOf('unbiased_variance', moments)]).toEqual([0, 0]);
  });

  it('of a single number have a variance of 0, and no errors', () => {
    const moments = momentsOf([[3]], 1, 1);
    expect([...quantityOf('unbiased_variance', moments)]).toEqual([0]);
    expect(moments.standardErrors()).toBeUndefined();
  });
});

describe('standard errors', () => {
  it('of independent numbers are those of the textbook', () => {
    const numbers = Array.from(
      { length: 4000 },
      (_, i) => Math.sqrt(-2 * Math.log(frac(i, 1))) * Math.cos(2 * Math.PI * frac(i, 2)),
    );
    const moments = momentsOf(
      numbers.map((x) => [x]),
      1,
      100,
    );
    const [variance] = quantityOf('variance', moments);
    const errors = moments.standardErrors()!;
    expect(errors.mean[0]).toBeCloseTo(Math.sqrt(variance! / 4000), 4);
    expect(errors.variance[0]! / (variance! * Math.sqrt(2 / 4000))).toBeCloseTo(1, 1);
  });

  it('do not count positions of an example as independent', () => {
    const alone = momentsOf(
      Array.from({ length: 50 }, (_, i) => [Math.sin(i)]),
      1,
      50,
    );
    const repeated = momentsOf(
      Array.from({ length: 50 }, (_, i) => new Array<number>(16).fill(Math.sin(i))),
      1,
      50,
    );
    expect(repeated.standardErrors()!.mean[0]).toBeCloseTo(alone.standardErrors()!.mean[0]!, 12);
    expect(repeated.standardErrors()!.variance[0]).toBeCloseTo(alone.standardErrors()!.variance[0]!, 12);
  });
});

/** Numbers between 0 and 1 without order (the additive recurrence of the plastic number). */
function frac(i: number, k: number): number {
  return (0.5 + (i + 1) / 1.324717957244746 ** k) % 1 || 0.5;
}

describe('layout', () => {
  const data = Array.from({ length: 24 }, (_, i) => i);
  const first = (shape: readonly number[], axes: ChannelAxes) => {
    const found = arranged(shape, data, axes)!;
    const moments = new ChannelMoments(found.layout.channels);
    moments.add(found.data, found.layout, 1);
    return [...moments.mean];
  };

  it.each<[string, readonly number[], ChannelAxes, readonly number[]]>([
    ['NHWC', [2, 2, 2, 3], { kind: 'last' }, [10.5, 11.5, 12.5]],
    ['NCHW', [2, 3, 2, 2], { kind: 'second' }, [7.5, 11.5, 15.5]],
    ['what a reduction keeps', [2, 3, 4], { kind: 'not', reduced: [0, -1] }, [7.5, 11.5, 15.5]],
    ['a statistic for each position', [2, 3, 4], { kind: 'not', reduced: [0] }, data.slice(0, 12).map((x) => x + 6)],
    ['axes that are apart', [2, 2, 3, 2], { kind: 'not', reduced: [0, 2] }, [8, 9, 14, 15]],
    ['like [C,1,1]', [2, 3, 2, 2], { kind: 'like', shape: [3, 1, 1] }, [7.5, 11.5, 15.5]],
    ['one number', [2, 3, 4], { kind: 'not', reduced: [0, 1, 2] }, [11.5]],
  ])('%s', (_, shape, axes, expected) => expect(first(shape, axes)).toEqual(expected));

  it('none where the batch axis would be a channel', () => {
    expect(layoutOf([2, 3], { kind: 'not', reduced: [1] })).toBeUndefined();
    expect(arranged([2, 3], data, { kind: 'not', reduced: [1] })).toBeUndefined();
  });
});
