import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { calibrate } from '../../src/calibration/calibrate.js';
import { runGraph } from '../../src/run/run.js';
import { numbersOf } from '../../src/run/value.js';
import { difference } from '../support/compare.js';
import { computed, type Golden, opened } from './support.js';

const FIXTURES = fileURLToPath(new URL('fixtures', import.meta.url));
const NAMES = readdirSync(FIXTURES).sort();

/** The largest difference of statistics, of means in deviations and of variances relative to them. */
function worst(actual: ReadonlyMap<string, Float64Array>, expected: Golden['statistics']): number {
  let most = 0;
  for (const [name, value] of Object.entries(expected)) {
    const isMean = name.endsWith('mean');
    const variance = numbersOf(expected[name.replace(/moving_mean$/, 'moving_variance')]!);
    const numbers = actual.get(name);
    expect(numbers?.length, name).toBe(variance.length);
    for (const [c, wanted] of numbersOf(value).entries()) {
      most = Math.max(most, Math.abs(numbers![c]! - wanted) / (isMean ? Math.sqrt(variance[c]!) : variance[c]!));
    }
  }
  return most;
}

/** What is right up to rounding: TensorFlow rounds to float16 after each op, and (x - 1000) / 0.01 has few digits in float32. */
const OF_OUTPUTS: Readonly<Record<string, number>> = { half_115: 2e-3, large_mean_115: 2e-2 };

describe('calibrate computes what TensorFlow computes', () => {
  it.each(NAMES)('%s: layer by layer', async (name) => {
    using model = await opened(name);
    const { golden } = model;
    const statistics = await computed(model.model, { data: golden.data });
    expect(worst(statistics, golden.statistics)).toBeLessThan(1e-6);
  });

  // Corrections of batch renormalisation are what they converge to; TensorFlow's are those of the first step.
  it.each(NAMES.filter((name) => !name.startsWith('renorm')))('%s: in one pass, on one batch', async (name) => {
    using model = await opened(name);
    const { golden } = model;
    const statistics = await computed(model.model, { data: golden.data, parallel: true });
    // Activations are normalised by moments in float32.
    expect(worst(statistics, golden.parallel)).toBeLessThan(5e-6);
  });

  it.each(NAMES)('%s: the frozen graph, and the folded one', async (name) => {
    using model = await opened(name);
    const { golden } = model;
    const [output] = Object.keys(golden.outputs);
    for (const fold of [false, true]) {
      const { graph } = await calibrate(model.model, { data: golden.data, fold });
      const outputs = await runGraph(graph, golden.data, [output!]);
      expect(difference(outputs[output!]!, golden.outputs[output!]!)).toBeLessThan(OF_OUTPUTS[name] ?? 1e-5);
    }
  });

  it('what training converges to is reached from statistics that were never trained', async () => {
    for (const name of ['deep_113', 'deep_115', 'deep_212', 'channels_first_115', 'towers_115', 'one_dimension_115']) {
      using model = await opened(name);
      const { golden } = model;
      expect(Object.keys(golden.trained)).toEqual(Object.keys(golden.parallel));
      const statistics = await computed(model.model, { data: golden.data, parallel: true });
      // Towers average their batches one after the other: within-tower variances.
      expect(worst(statistics, golden.trained)).toBeLessThan(name === 'towers_115' ? 0.1 : 1e-5);
    }
  });
});
