import { expect, it } from 'vitest';
import { analyse } from '../../src/freezing/analyse.js';
import { load } from '../../src/load.js';
import { verify } from '../../src/proof/verify.js';
import { allCases } from '../support/cases.js';

it('a dropout that the user keeps draws the same numbers in all graphs, and each time', async () => {
  const one = allCases().find(({ name }) => name === 'dropout_rate_115')!;
  const model = await load(one.model, one.load);
  const keep = analyse(model, one.freeze).dropouts.map(({ output }) => output);
  const reports = [await verify(model, { ...one.freeze, keep }), await verify(model, { ...one.freeze, keep })];
  model.close();
  expect(keep.length).toBeGreaterThan(0);
  for (const { proofs } of reports) {
    const statuses = proofs.map(({ name, status }) => `${name} ${status}`);
    expect(statuses.slice(1)).toEqual(['substitution passed', 'statistics passed']);
  }
  expect(reports[0]).toEqual(reports[1]);
});
