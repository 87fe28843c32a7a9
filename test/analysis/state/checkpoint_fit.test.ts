import { describe, expect, it } from 'vitest';
import { checkpointFits, refuseForeignCheckpoint } from '../../../src/analysis/state/checkpoint_fit.js';
import type { Variable } from '../../../src/analysis/state/variables.js';
import { DataType } from '../../../src/graph/dtype.js';
import type { Checkpoint } from '../../../src/graph/model.js';

const variable = (given: Partial<Variable>): Variable => ({
  node: given.key ?? 'v',
  kind: 'ref',
  dtype: DataType.DT_FLOAT,
  shape: [2, 3],
  key: undefined,
  slice: undefined,
  evidence: 'name',
  ...given,
});

const unread = (): never => {
  throw new Error('no value has to be read');
};

function checkpoint(shapes: Readonly<Record<string, readonly number[]>>): Checkpoint {
  const entries = Object.entries(shapes).map(([key, shape]) => [key, { dtype: DataType.DT_FLOAT, shape }] as const);
  return { name: 'other', entries: new Map(entries), tensor: unread, slice: unread };
}

describe('checkpointFits', () => {
  const held = checkpoint({ w: [2, 3], long: [20, 3] });

  it.each<[string, Partial<Variable>, number]>([
    ['a key, dtype and shape that agree', { key: 'w' }, 1],
    ['a shape that is open in the graph', { key: 'w', shape: [2, -1] }, 1],
    ['a shape that the graph does not say', { key: 'w', shape: undefined }, 1],
    ['a part of a longer tensor', { key: 'long', slice: [{ start: 0, length: 2 }] }, 1],
    ['no key', {}, 0],
    ['another shape', { key: 'w', shape: [3, 2] }, 0],
    ['another rank', { key: 'w', shape: [6] }, 0],
    ['another dtype', { key: 'w', dtype: DataType.DT_INT32 }, 0],
  ])('%s', (_, given, fitting) => {
    expect(checkpointFits([variable(given)], held)).toEqual({ fitting, variables: 1 });
  });
});

describe('refuseForeignCheckpoint', () => {
  it('throws only where no variable has a value', () => {
    const held = checkpoint({ a: [2, 3], b: [1], c: [1], d: [1] });
    const refuse = (...keys: (string | undefined)[]) =>
      refuseForeignCheckpoint(
        keys.map((key) => variable({ key })),
        held,
      );
    expect(() => refuse('a', undefined)).not.toThrow();
    expect(() => refuse()).not.toThrow();
    expect(() => refuse('b', undefined)).toThrow(
      expect.objectContaining({
        code: 'usage',
        message: 'other is not a checkpoint of this graph: it has values for 0 of its 2 variables',
        why: 'it holds a, b, c, ...',
      }),
    );
    expect(() => refuse('b')).toThrow('no value for its variable');
  });

  it('has nothing to say without a checkpoint', () => {
    expect(() => refuseForeignCheckpoint([variable({})], undefined)).not.toThrow();
  });
});
