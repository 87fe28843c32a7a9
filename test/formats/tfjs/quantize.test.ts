import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Quantization } from '../../../src/formats/destination.js';
import { quantized } from '../../../src/formats/tfjs/quantize.js';
import { TFJS } from '../../../src/formats/tfjs/tfjs.js';
import { freeze } from '../../../src/freezing/freeze.js';
import { DataType } from '../../../src/graph/dtype.js';
import { numberTensor, readNumbers } from '../../../src/graph/tensor.js';
import { constant, graphOf, node, placeholder, T_FLOAT } from '../../support/build.js';
import { modelOf } from '../../support/model.js';

const weight = (values: ArrayLike<number>, shape: readonly number[] = [1, values.length], dtype = DataType.DT_FLOAT) =>
  numberTensor(dtype, shape, values);

/** The values as TensorFlow.js reads them (decodeWeight in io_utils.ts). */
function restored(values: ArrayLike<number>, quantization: Quantization) {
  const { stored, info } = quantized(weight(values), quantization)!;
  const { scale = 1, min = 0 } = info;
  return { info, values: Array.from(readNumbers(stored), (value) => Math.fround(value * scale + min)) };
}

const floats = fc.array(
  fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(-1e30), max: Math.fround(1e30) }),
  {
    minLength: 1,
  },
);

describe.each(['uint8', 'uint16'] as const)('%s', (quantization) => {
  it('is off by half a step at most, and exact for 0', () => {
    fc.assert(
      fc.property(floats, (values) => {
        const { info, values: got } = restored(values, quantization);
        for (const [i, value] of values.entries()) {
          expect(Math.abs(got[i]! - value)).toBeLessThanOrEqual(info.scale! * 0.500001 + Math.abs(value) * 2 ** -23);
          if (value === 0) expect(got[i]).toBe(0);
        }
      }),
    );
  });
});

it('says which kernels could not be quantized', async () => {
  const graph = graphOf([
    placeholder('x', DataType.DT_FLOAT, [-1, 2]),
    constant('large', [1e6, 1, 2, 3], [2, 2]),
    constant('small', [1, 2], [2]),
    node('product', 'MatMul', ['x', 'large'], T_FLOAT),
    node('y', 'BiasAdd', ['product', 'small'], T_FLOAT),
  ]);
  const frozen = freeze(modelOf(graph), { outputs: ['y'] });
  const notes = async (quantize: Quantization) => (await TFJS.encode(frozen, { quantize })).at(-1)!.encoded.notes;
  expect(await notes('float16')).toEqual(['not quantized, since values are not finite or out of range: large']);
  expect(await notes('uint8')).toEqual([]);
});

describe('a quantized weight', () => {
  it('has the scale and the offset that tensorflowjs_converter computes', () => {
    // quantize_weights of tensorflowjs 4.22.0
    const { info, values } = restored([0, -0.1, 1.2], 'uint8');
    expect(info).toEqual({
      dtype: 'uint8',
      min: expect.closeTo(-0.10196078, 7),
      scale: expect.closeTo(0.0050980393, 9),
      original_dtype: 'float32',
    });
    expect(values[0]).toBe(0);
  });

  it('of one number is that number', () => {
    for (const quantization of ['uint8', 'uint16'] as const) {
      expect(restored([0.3, 0.3], quantization).values).toEqual([Math.fround(0.3), Math.fround(0.3)]);
    }
  });

  it('is float16 if it fits', () => {
    expect(restored([1 / 3, -65504, 6e-5], 'float16')).toEqual({
      info: { dtype: 'float16', original_dtype: 'float32' },
      values: [0.333251953125, -65504, expect.closeTo(6e-5, 7)],
    });
    // Too large, and a small epsilon that would become 0.
    expect(quantized(weight([1, 65520]), 'float16')).toBeUndefined();
    expect(quantized(weight([1e-12], []), 'float16')).toBeUndefined();
    // All are 0.
    expect(quantized(weight([0, 0]), 'float16')).toBeDefined();
  });

  it('stays as it is if it is not finite, or has no elements', () => {
    for (const quantization of ['float16', 'uint8'] as const) {
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        expect(quantized(weight([1, value]), quantization)).toBeUndefined();
      }
      expect(quantized(weight([], [0, 3]), quantization)).toBeUndefined();
    }
  });

  it('stays as it is with fewer than two dimensions, as biases and statistics have', () => {
    expect(quantized(weight([1, 2], [2]), 'uint8')).toBeUndefined();
    expect(quantized(weight([1, 2], [2]), 'float16')).toBeDefined();
  });

  it('may be of any floating-point type', () => {
    const double = quantized(weight([0, 0.25, 1], [1, 3], DataType.DT_DOUBLE), 'uint8')!;
    expect([...readNumbers(double.stored)]).toEqual([0, 64, 255]);
    const half = quantized(weight([0, 0.25, 1], [1, 3], DataType.DT_HALF), 'uint8')!;
    expect([...readNumbers(half.stored)]).toEqual([0, 64, 255]);
  });
});
