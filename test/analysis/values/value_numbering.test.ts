import { expect, it } from 'vitest';
import { ValueNumbering } from '../../../src/analysis/values/value_numbering.js';
import { parseTensorName } from '../../../src/graph/node.js';
import { parseGraph } from '../../../src/notation/parse.js';

/** Whether two tensors have one number. */
function isSame(text: string, [a, b]: readonly [string, string] = ['a', 'b']): boolean {
  const numbering = new ValueNumbering(parseGraph(text));
  return numbering.valueNumber(parseTensorName(a)) === numbering.valueNumber(parseTensorName(b));
}

it.each([
  ['the same op of the same input', 'a = Relu(x)\nb = Relu(x)'],
  ['of equal inputs', 'a = Relu(Neg(x))\nb = Relu(Neg(x))'],
  ['equal constants', 'a = [1, 2]\nb = [1, 2]'],
  ['equal strings', 'a = Equal(x, "train")[T=string]\nb = Equal(x, "train")[T=string]'],
  ['where shapes or colocation were noted', 'a = Relu(x)[_class=["loc:@x"]]\nb = Relu(x)[_output_shapes=[1]]'],
])('one value: %s', (_, text) => {
  expect(isSame(text)).toBe(true);
});

it.each([
  ['other ops', 'a = Relu(x)\nb = Neg(x)'],
  ['other inputs', 'a = Relu(x)\nb = Relu(z)'],
  ['the inputs in another order', 'a = Sub(x, z)\nb = Sub(z, x)'],
  ['other attrs', 'a = LeakyRelu(x)[alpha=0.1]\nb = LeakyRelu(x)[alpha=0.2]'],
  ['other numbers', 'a = [1, 2]\nb = [1, 3]'],
  ['other dtypes', 'a = [0]\nb = [0.0]'],
  ['other shapes', 'a = [1, 2]\nb = [[1, 2]]'],
  ['numbers that look alike side by side', 'a = ["ab", "c"]\nb = ["a", "bc"]'],
  ['other strings', 'a = Equal(x, "train")[T=string]\nb = Equal(x, "test")[T=string]'],
  ['two placeholders', 'a = Placeholder[shape=[2]]\nb = Placeholder[shape=[2]]'],
  ['two defaults', 'c = [1.0]\na = PlaceholderWithDefault(c)[shape=[1]]\nb = PlaceholderWithDefault(c)[shape=[1]]'],
  ['two variables', 'a = VariableV2[shape=[2]]\nb = VariableV2[shape=[2]]'],
  ['two random tensors', 's = [2]\na = RandomUniform(s)\nb = RandomUniform(s)'],
  ['more than one value', 'a = Relu(a1)\nb = Relu(a2)\na1 = Neg(x)\na2 = Abs(x)'],
])('different values: %s', (_, text) => {
  expect(isSame(text)).toBe(false);
});

it('tells outputs of one op apart', () => {
  const text = 's = Split(0, x)[num_split=2]\nt = Split(0, x)[num_split=2]';
  expect(isSame(text, ['s:0', 't:0'])).toBe(true);
  expect(isSame(text, ['s:1', 't:1'])).toBe(true);
  expect(isSame(text, ['s:0', 't:1'])).toBe(false);
});

it('compares constants up to 1,024 bytes by value, larger ones by node', () => {
  const text = (size: number) =>
    `a = Const[int32, shape=[${size}], value=1]\nb = Const[int32, shape=[${size}], value=1]\nc = Relu(a)\nd = Relu(a)`;
  expect(isSame(text(256))).toBe(true);
  expect(isSame(text(257))).toBe(false);
  expect(isSame(text(257), ['c:0', 'd:0'])).toBe(true);
});

it('ends in loops, and follows chains of any length', () => {
  expect(
    isSame('e = Enter(x)[frame_name=f]\nm = Merge(e, n)\nn = NextIteration(Relu(m))\na = Neg(m)\nb = Neg(m)'),
  ).toBe(true);
  const chain = (name: string) =>
    Array.from({ length: 5000 }, (_, i) => `${name}${i + 1} = Relu(${i === 0 ? 'x' : name + i})`);
  expect(isSame([...chain('p'), ...chain('q')].join('\n'), ['p5000:0', 'q5000:0'])).toBe(true);
});
