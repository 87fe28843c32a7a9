import { expect, it } from 'vitest';
import { nameMatcher } from '../../src/freezing/name_matcher.js';

it.each([
  ['conv1', 'conv1', true],
  ['conv1/bn', 'conv1', true],
  ['conv10', 'conv1', false],
  ['conv1', 'conv1:0', true],
  ['conv1', 'conv1/', true],
  ['conv1/bn/add', 'conv*', true],
  ['a/conv1/bn/add', 'a/*/bn', true],
  ['a/conv1/bx/add', 'a/*/bn', false],
  ['conv1', 'conv?', true],
  ['conv', 'conv?', false],
  ['ab-abd', '*abd', true],
  ['ab-ab', '*abd', false],
  ['a+b', 'a+b', true],
  ['aab', 'a+b', false],
  ['two\nlines', 'two*', true],
  ['x', '', false],
  ['', '*', true],
])('%j is matched by %j: %s', (name, pattern, expected) => {
  expect(nameMatcher([pattern])(name)).toBe(expected);
});

it('long names and many stars take no time', () => {
  const long = 'a/'.repeat(100_000);
  expect(nameMatcher([`${long}b`])(`${long}b/c`)).toBe(true);
  expect(nameMatcher([`${'*a'.repeat(30)}*b`])('a'.repeat(20_000))).toBe(false);
});
