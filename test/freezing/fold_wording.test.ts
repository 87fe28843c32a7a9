import { expect, it } from 'vitest';
import type { FoldReason } from '../../src/analysis/folding/reasons.js';
import { foldReasonText, isHelpedByDuplicates } from '../../src/freezing/fold_wording.js';

it.each<[FoldReason, string]>([
  [{ code: 'input_not_linear', node: 'split', op: 'Split', port: 1 }, 'its input comes from output 1 of split (Split)'],
  [{ code: 'input_not_linear', node: 'x', op: 'Placeholder', port: 0 }, 'its input comes from x (Placeholder)'],
  [
    { code: 'weights_out_of_range', dtype: 'float16', limit: 'largest' },
    'its scale times the weights is too large for float16',
  ],
  [
    { code: 'weights_out_of_range', dtype: 'float16', limit: 'smallest' },
    'its scale times the weights is too small for float16',
  ],
  [{ code: 'kernel_shared', kernel: 'w', ops: ['a', 'b'] }, 'the kernel w is shared by a, b'],
  [{ code: 'statistics_used', ports: [1, 2] }, 'its outputs 1, 2 are used'],
  [{ code: 'large_means', zeroScale: false }, 'its means are so large that folding would lose digits'],
])('%o', (reason, text) => {
  expect(foldReasonText(reason)).toBe(text);
});

it('names duplicateWeights where it helps', () => {
  expect(isHelpedByDuplicates({ code: 'kernel_read_elsewhere', kernel: 'w', reader: 'a' })).toBe(true);
  expect(isHelpedByDuplicates({ code: 'kernel_quantised', node: 'a', by: 'q' })).toBe(false);
});
