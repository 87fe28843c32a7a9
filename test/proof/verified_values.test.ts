import { expect, it } from 'vitest';
import { load } from '../../src/load.js';
import type { VerifiedValues } from '../../src/proof/verified_values.js';
import { verify } from '../../src/proof/verify.js';
import { numbersOf } from '../../src/run/value.js';
import { BAG_MODEL } from '../cli/support.js';

it('gives the inputs, and what the saved and the repaired graph output', async () => {
  const model = await load(BAG_MODEL);
  let values: VerifiedValues | undefined;
  const report = await verify(model, {
    shapes: { 'input/image_input': [2, 8, 8, 3] },
    onValues: (all) => (values = all),
  });
  model.close();
  const { inputs, before, after } = values!;
  expect(Object.keys(inputs)).toEqual(report.inputs.map(({ name }) => name));
  expect(Object.keys(after!)).toEqual(report.outputs);
  expect(inputs['input/image_input']!.shape).toEqual([2, 8, 8, 3]);
  const [a, b] = [before, after].map((each) => numbersOf(each!['output/image_output:0']!));
  expect(a).toHaveLength(2 * 8 * 8 * 3);
  expect(Math.max(...a!.map((value, i) => Math.abs(value - b![i]!)))).toBeGreaterThan(0.1);
});
