import { expect, it } from 'vitest';
import { writePng } from '../../../src/cli/data/image.js';
import { inputValue } from '../../../src/cli/data/input_value.js';
import { writeNpy } from '../../../src/cli/data/npy.js';
import { tensorValue } from '../../../src/run/value.js';
import { failure } from '../../support/failure.js';

const AS_IS = { scale: 1, mean: [0] };
const file = (name: string, shape: number[], numbers: number[]) => ({
  name,
  bytes: writeNpy(tensorValue('float32', shape, numbers)),
});

it('files with and without an axis of examples are not put together', () => {
  const input = { name: 'x', dtype: 'float32', shape: undefined };
  const files = [file('vector.npy', [2], [1, 2]), file('scalar.npy', [], [3])];
  expect(failure(() => inputValue(files, input, AS_IS))).toMatchObject({
    code: 'usage',
    message: 'scalar.npy has no axis of examples',
    where: 'scalar.npy',
  });
  expect(inputValue([files[0]!, files[0]!], input, AS_IS)).toEqual(tensorValue('float32', [4], [1, 2, 1, 2]));
});

it.each([
  ['int64', 0.5],
  ['int32', 1.25],
  ['uint8', -1],
  ['uint8', 256],
  ['int32', 2 ** 31],
  ['int64', Number.NaN],
  ['int64', 2 ** 80],
])('an input of %s does not take %d', (dtype, number) => {
  const input = { name: 'x', dtype, shape: [-1] };
  expect(failure(() => inputValue([file('x.npy', [2], [1, number])], input, AS_IS))).toMatchObject({
    code: 'usage',
    message: `x is ${dtype}, but its value contains ${number}`,
  });
  expect(inputValue([file('x.npy', [2], [1, 7])], input, AS_IS)).toEqual(tensorValue(dtype, [2], [1, 7]));
});

it.each(['uint8', 'int32', 'int64'])('pixels are rounded for an input of %s', (dtype) => {
  const picture = { name: 'x.png', bytes: writePng(1, 1, 3, Uint8Array.of(1, 2, 4)) };
  const value = inputValue([picture], { name: 'x', dtype, shape: [-1, 1, 1, 1] }, { scale: 1, mean: [0.5] });
  // 0.299 * 1 + 0.587 * 2 + 0.114 * 4 - 0.5 = 1.429
  expect(value).toEqual(tensorValue(dtype, [1, 1, 1, 1], [1]));
  const brighter = inputValue([picture], { name: 'x', dtype, shape: [-1, 1, 1, 1] }, { scale: 1, mean: [0.4] });
  expect(brighter).toEqual(tensorValue(dtype, [1, 1, 1, 1], [2]));
});
