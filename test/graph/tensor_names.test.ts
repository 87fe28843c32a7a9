import { describe, expect, it } from 'vitest';
import { parseInput, parseTensorName } from '../../src/graph/node.js';

describe('parseTensorName', () => {
  it.each([
    ['a', { node: 'a', port: 0 }],
    ['a:0', { node: 'a', port: 0 }],
    ['scope/a:12', { node: 'scope/a', port: 12 }],
    // Number('') is 0, and Number('1e1') an integer: neither is a port.
    ['a:', { node: 'a:', port: 0 }],
    ['a:1e1', { node: 'a:1e1', port: 0 }],
    ['a:-1', { node: 'a:-1', port: 0 }],
    ['a: 1', { node: 'a: 1', port: 0 }],
    [':1', { node: ':1', port: 0 }],
  ])('of %j', (text, ref) => {
    expect(parseTensorName(text)).toEqual(ref);
  });
});

describe('parseInput', () => {
  it('separates control inputs', () => {
    expect(parseInput('^a')).toEqual({ node: 'a', port: undefined });
    expect(parseInput('a:1')).toEqual({ node: 'a', port: 1 });
  });
});
