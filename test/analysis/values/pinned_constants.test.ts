import { describe, expect, it } from 'vitest';
import { PinnedConstants } from '../../../src/analysis/values/pinned_constants.js';
import { parseGraph } from '../../../src/notation/parse.js';

const HEAD = 'f = Placeholder[bool, shape=[]]\ng = Placeholder[bool, shape=[]]\nx = Placeholder[shape=[?, 2]]\n';

/** What becomes known if `f` and others are pinned after the first pins. */
function newly(
  text: string,
  pins: Readonly<Record<string, number>> = { f: 1 },
  first: Readonly<Record<string, number>> = {},
) {
  const constants = new PinnedConstants(parseGraph(HEAD + text), new Map(Object.entries(first)));
  const found = constants.newlyKnown(new Map(Object.entries(pins)));
  const values = Object.fromEntries([...found].map(([key, { value }]) => [key, value.values]));
  return { constants, found, values };
}

describe('what becomes known with further pins', () => {
  it.each([
    ['the node itself', '', { f: [1] }],
    ['what is computed from it', 'y = LogicalNot(Identity(f))', { f: [1], 'y/Identity': [1], y: [0] }],
    ['with constants', 'c = Cast(f)[SrcT=bool, DstT=int32]\ny = c * 3 + 1', { f: [1], c: [1], 'y/Mul': [3], y: [4] }],
    ['both outputs of a Switch', 's = Switch(f, g)', { f: [1], s: [1], 's:1': [1] }],
    ['the outputs of an IdentityN that forward it', 'n = IdentityN(x, f, g, f)', { f: [1], 'n:1': [1], 'n:3': [1] }],
    ['what decides by itself', 'y = LogicalOr(f, g)\nz = LogicalAnd(f, g)', { f: [1], y: [1] }],
    ['one element of several', 'c = Cast(f)[SrcT=bool, DstT=int32]\ny = Pack(c, c)', { f: [1], c: [1], y: [1, 1] }],
    ['no other ops', 'y = MyOp(f)', { f: [1] }],
  ])('%s', (_, text, expected) => {
    expect(newly(text).values).toEqual(expected);
  });

  it('is nothing that was known before, and no other pin', () => {
    expect(newly('y = LogicalOr(f, g)\nz = LogicalNot(y)', { f: 1 }, { g: 1 }).values).toEqual({ f: [1] });
    expect(newly('y = LogicalNot(f)\nz = LogicalNot(y)', { f: 1, y: 1 }).values).toEqual({ f: [1], y: [1], z: [0] });
  });

  it('combines several pins, and earlier ones', () => {
    const text = 'y = LogicalAnd(f, g)\nz = LogicalNot(y)';
    expect(newly(text, { f: 1, g: 1 }).values).toMatchObject({ y: [1], z: [0] });
    expect(newly(text, { f: 1 }, { g: 1 }).values).toEqual({ f: [1], y: [1], z: [0] });
  });

  it('is known from then on if it is learnt', () => {
    const { constants, found } = newly('y = LogicalNot(f)');
    const y = { node: 'y', port: 0 };
    expect(constants.numberAt(y)).toBeUndefined();
    constants.learn(found);
    expect(constants.numberAt(y)).toBe(0);
  });
});
