import { expect, it } from 'vitest';
import { parseGraph } from '../../src/notation/parse.js';
import { verify } from '../../src/proof/verify.js';
import { proofText } from '../../src/proof/wording.js';
import { modelOf } from '../support/model.js';

async function independence(text: string) {
  const { proofs } = await verify(modelOf(parseGraph(text)), { outputs: ['out'] });
  return proofs[0]!;
}

it('an axis that is not a batch, since ops combine its rows, is not a fault', async () => {
  const proof = await independence(`
    seq = Placeholder[shape=[?, 2]]
    reversed = ReverseV2(seq, [0])
    sum = AddV2(seq, reversed)
    four = Reshape(sum, [-1, 1, 1, 2])
    norm = FusedBatchNormV3(four, [1.5, 2.0], [0.25, 0.5], [0.5, 0.25], [2.0, 3.0])[is_training=false]
    out = Reshape(norm, [-1, 2])`);
  expect(proof).toMatchObject({
    status: 'skipped',
    reason: { code: 'rows_combined', node: 'reversed', op: 'ReverseV2' },
  });
  expect(proofText(proof)).toContain('the first axis is not a batch: reversed (ReverseV2) combines its rows');
});
