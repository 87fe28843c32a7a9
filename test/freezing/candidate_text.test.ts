import { expect, it } from 'vitest';
import type { OutputCandidate } from '../../src/analysis/training/outputs.js';
import { candidateLines } from '../../src/freezing/candidate_text.js';

const candidate = (node: string) =>
  ({
    ref: { node, port: 0 },
    op: 'Relu',
    dtype: 'float32',
    shape: [2],
    reader: 'nothing',
  }) as unknown as OutputCandidate;

it('a very long name does not widen the column of the others', () => {
  const long = 'n'.repeat(2000);
  expect(candidateLines(['a', long, 'abc'].map(candidate))).toEqual([
    'a    Relu float32 [2]  the net ends here',
    `${long}  Relu float32 [2]  the net ends here`,
    'abc  Relu float32 [2]  the net ends here',
  ]);
});
