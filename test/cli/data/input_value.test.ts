import { expect, it } from 'vitest';
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
