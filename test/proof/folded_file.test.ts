import { expect, it } from 'vitest';
import { fold } from '../../src/freezing/fold.js';
import { load } from '../../src/load.js';
import { verify } from '../../src/proof/verify.js';
import { allCases } from '../support/cases.js';
import { readGolden } from '../support/golden.js';

const cases = new Map(allCases().map((one) => [one.name, one]));

// Other ops than those of batch norms are folded in them.
it.each(['conditional_bn_113', 'dropout_by_hand_113', 'keep_prob_by_flag', 'slim_batch_weights', 'slim_fused_115'])(
  '%s: a folded graph is recognised',
  async (name) => {
    const one = cases.get(name)!;
    const model = await load(one.model, one.load);
    const fixed = fold(model, one.freeze).graph;
    const { passed, proofs } = await verify(model, { ...one.freeze, values: readGolden(one.golden).inputs, fixed });
    model.close();
    expect(passed).toBe(true);
    expect(proofs.map((proof) => proof.name)).toEqual(['batch_independence', 'substitution', 'statistics', 'folding']);
  },
);
