import { describe, expect, it } from 'vitest';
import type { Flag } from '../../../src/analysis/training/flags.js';
import { findSwitched } from '../../../src/analysis/training/switched.js';
import { parseGraph } from '../../../src/notation/parse.js';

const FUSED = `
  x = Placeholder[shape=[?, 4, 4, 2]]
  flag = Placeholder[bool, shape=[]], other = Placeholder[bool, shape=[]]
  s = Switch(x, flag)
  train = FusedBatchNormV3(s:1, [1.0, 1.0], [0.0, 0.0], [], [])[epsilon=0.001, is_training=true]
  use = FusedBatchNormV3(s, [1.0, 1.0], [0.0, 0.0], [1.0, 1.0], [1.0, 1.0])[epsilon=0.001, is_training=false]
  bn = Merge(Identity(use), train)[N=2]
  y = Relu(bn)`;

const UNFUSED = `
  x = Placeholder[shape=[?, 2]]
  flag = Placeholder[bool, shape=[]]
  mean = Mean(x, [0])
  variance = Mean(SquaredDifference(x, mean), [0])
  chosen = Select(flag, variance, [4.0, 9.0])
  root = Rsqrt(chosen + 0.001)
  y = (x - mean) * root
  far = Sqrt(MatMul(y, [[1.0, 2.0], [3.0, 4.0]]))`;

/** The flags of each batch norm: what the flags select and disable, by name. */
function switchedIn(text: string, flags: Record<string, Pick<Flag, 'selects' | 'disables'>>) {
  const found = Object.entries(flags).map(
    ([node, of]): Flag => ({ node, value: 0, reason: { code: 'training_ops', count: 1 }, ...of }),
  );
  return Object.fromEntries(findSwitched(parseGraph(text), found));
}

describe('batch norms whose statistics flags choose', () => {
  it('are fused ones that only inference needs', () => {
    expect(switchedIn(FUSED, { flag: { selects: ['use', 'x', 'absent'] } })).toEqual({ use: ['flag'] });
  });

  it('are fused ones in the other branch than one that inference does not need', () => {
    expect(switchedIn(FUSED, { flag: { disables: ['train', 'x', 'absent'] } })).toEqual({ use: ['flag'] });
  });

  it('have every flag once, in order', () => {
    const both = { selects: ['use'], disables: ['train'] };
    expect(switchedIn(FUSED, { flag: both, other: both })).toEqual({ use: ['flag', 'other'] });
  });

  it('are roots that batch statistics reach element by element, through a choice', () => {
    expect(switchedIn(UNFUSED, { flag: { disables: ['variance'] } })).toEqual({ root: ['flag'] });
  });

  it('are none of a flag that the user set', () => {
    expect(switchedIn(UNFUSED, { flag: {} })).toEqual({});
  });
});
