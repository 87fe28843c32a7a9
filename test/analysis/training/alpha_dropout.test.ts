import { describe, expect, it } from 'vitest';
import { findDropouts } from '../../../src/analysis/training/dropouts.js';
import { ancestors } from '../../../src/graph/walk.js';
import { parseGraph } from '../../../src/notation/parse.js';

/** The dropouts of y, as their output and data. */
function dropoutsOf(text: string): string[] {
  const graph = parseGraph(text);
  const { dropouts } = findDropouts(graph, ancestors(graph, ['y'], false), [{ node: 'y', port: 0 }]);
  return dropouts.map(({ output, x }) => `${output} is ${x.node}`);
}

const DROPPED = -1.7580993;
const GIVEN = 'x = Placeholder[shape=[?, 8]]\nr = RandomUniform(Shape(x))\n';
const mask = (rate: number) => `m = Cast(GreaterEqual(r, ${rate}))[SrcT=bool, DstT=float]\n`;

/** Scale and shift that keep mean 0 and variance 1 if a share of the elements is set to a value, and others times `leak`. */
function moments(rate: number, value: number, leak = 0) {
  const keep = 1 - rate;
  const shift = -rate * value;
  const square = keep * (1 + shift ** 2) + rate * (leak ** 2 + (value + shift) ** 2);
  return { scale: 1 / Math.sqrt(square), shift: shift / Math.sqrt(square) };
}

/** Alpha dropout as Keras writes it. */
function alpha(rate: number, { scale, shift } = moments(rate, DROPPED)) {
  return `${GIVEN}${mask(rate)}d = x * m + (1.0 - m) * ${DROPPED}\ny = d * ${scale} + ${shift}`;
}

describe('alpha dropout', () => {
  it.each([0.05, 0.1, 0.3, 0.5, 0.9])('of rate %d is its input', (rate) => {
    expect(dropoutsOf(alpha(rate))).toEqual(['y is x']);
  });

  it('is found with the condition for the dropped elements', () => {
    const { scale, shift } = moments(0.3, DROPPED);
    const d = `d = SelectV2(Less(r, 0.3), ${DROPPED}, x)`;
    expect(dropoutsOf(`${GIVEN}${d}\ny = d * ${scale} + ${shift}`)).toEqual(['y is x']);
  });

  it('is found in up to six ops from the mask on', () => {
    const { scale, shift } = moments(0.3, DROPPED);
    const steps = (last: string) =>
      `${GIVEN}${mask(0.3)}d = x * m + (1.0 - m) * ${DROPPED}\na = d * ${2 * scale}\nb = a + ${2 * shift}\nc = b * 0.25\n${last}`;
    expect(dropoutsOf(steps('y = c * 2.0'))).toEqual(['y is x']);
    expect(dropoutsOf(steps('e = c * 4.0\ny = e * 0.5'))).toEqual([]);
  });

  it.each([
    ['whose mean is 0.01', moments(0.3, DROPPED).scale, moments(0.3, DROPPED).shift + 0.01],
    ['whose variance is 1.02', moments(0.3, DROPPED).scale * 1.01, moments(0.3, DROPPED).shift * 1.01],
    ['without the shift', 1 / Math.sqrt(0.7 + 0.3 * DROPPED ** 2), 0],
  ])('is not found %s', (_, scale, shift) => {
    expect(dropoutsOf(alpha(0.3, { scale, shift }))).toEqual([]);
  });

  it('is nothing that drops to 0: a dropout whose scale keeps the variance instead of the mean', () => {
    expect(dropoutsOf(`${GIVEN}${mask(0.3)}y = x * m * ${1 / Math.sqrt(0.7)}`)).toEqual([]);
  });

  it('is nothing that depends on the data where elements are dropped', () => {
    const { scale, shift } = moments(0.3, DROPPED, 0.5);
    const d = `d = x * m + (1.0 - m) * (x * 0.5 + ${DROPPED})`;
    expect(dropoutsOf(`${GIVEN}${mask(0.3)}${d}\ny = d * ${scale} + ${shift}`)).toEqual([]);
    const unscaled = moments(0.3, DROPPED);
    expect(dropoutsOf(`${GIVEN}${mask(0.3)}${d}\ny = d * ${unscaled.scale} + ${unscaled.shift}`)).toEqual([]);
  });

  it('is nothing that depends on the data otherwise than in proportion', () => {
    const { scale, shift } = moments(0.3, DROPPED);
    const cubed = `d = x * m * (x * x) + (1.0 - m) * ${DROPPED}\ny = d * ${scale} + ${shift}`;
    expect(dropoutsOf(`${GIVEN}${mask(0.3)}${cubed}`)).toEqual([]);
  });

  it('is nothing whose mask is not 0 or 1', () => {
    const twice = 'm = Cast(GreaterEqual(r, 0.3))[SrcT=bool, DstT=float] * 2.0\n';
    const scale = Math.sqrt((1 + 0.4 / 1.4) / 1.4) / 2;
    const text = `${GIVEN}${twice}d = x * m * ${scale}\ny = d + (m * ${(1 - 0.4 / 1.4) / 2} - 1.0)`;
    expect(dropoutsOf(text)).toEqual([]);
  });

  it('ends where something else than arithmetic follows, or another op reads on', () => {
    const { scale, shift } = moments(0.3, DROPPED);
    const d = `${GIVEN}${mask(0.3)}d = x * m + (1.0 - m) * ${DROPPED}\n`;
    expect(dropoutsOf(`${d}p = Mean(d, [1])[keep_dims=true]\ny = p * ${scale} + ${shift}`)).toEqual([]);
    expect(dropoutsOf(`${d}e = d * ${scale} + ${shift}\ny = MatMul(e, Relu(d))`)).toEqual([]);
  });

  it('may be rounded as its dtype is', () => {
    const half = (value: number) => `Const[float16, value=${value}]`;
    const text = (shift: number) => `
      x = Placeholder[float16, shape=[?, 8]]
      m = Cast(GreaterEqual(RandomUniform(Shape(x)), 0.3))[SrcT=bool, DstT=half]
      d = x * m + (${half(1)} - m) * ${half(DROPPED)}
      y = d * ${half(0.8609906)} + ${half(0.4541094 + shift)}`;
    expect(dropoutsOf(text(0.004))).toEqual(['y is x']);
    expect(dropoutsOf(text(0.02))).toEqual([]);
  });
});
