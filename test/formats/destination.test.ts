import { describe, expect, it } from 'vitest';
import { BnfixError } from '../../src/errors.js';
import { destinationOf, mainFile, quantizationNamed } from '../../src/formats/destination.js';

describe('a name stands for a format and a path', () => {
  it.each([
    ['frozen.pb', undefined, 'pb', 'frozen.pb', 'frozen.pb'],
    ['frozen', undefined, 'pb', 'frozen', 'frozen'],
    ['a.b/frozen.PB', undefined, 'pb', 'a.b/frozen.PB', 'a.b/frozen.PB'],
    ['graph.pbtxt', undefined, 'pbtxt', 'graph.pbtxt', 'graph.pbtxt'],
    ['graph.pb.txt', undefined, 'pbtxt', 'graph.pb.txt', 'graph.pb.txt'],
    ['graph.pb', 'pbtxt', 'pbtxt', 'graph.pb', 'graph.pb'],
    ['model.h5', 'tfjs', 'tfjs', 'model.h5', 'model.h5/model.json'],
    ['web/model.json', undefined, 'tfjs', 'web', 'web/model.json'],
    ['model.json', undefined, 'tfjs', '.', './model.json'],
    ['/model.json', undefined, 'tfjs', '/', '/model.json'],
    ['web/', 'tfjs', 'tfjs', 'web/', 'web/model.json'],
    ['served/saved_model.pb', undefined, 'saved_model', 'served', 'served'],
    ['served', 'saved_model', 'saved_model', 'served', 'served'],
    ['saved_model.pb', 'pb', 'pb', 'saved_model.pb', 'saved_model.pb'],
    ['out/fixed.meta', undefined, 'meta', 'out/fixed', 'out/fixed.meta'],
    ['out/fixed', 'meta', 'meta', 'out/fixed', 'out/fixed.meta'],
    ['.meta', undefined, 'pb', '.meta', '.meta'],
    ['-', undefined, 'pb', '-', '-'],
    ['-', 'pbtxt', 'pbtxt', '-', '-'],
  ] as const)('%s, format %s: %s at %s, mainly %s', (output, given, format, path, main) => {
    const destination = destinationOf(output, given);
    expect([destination, mainFile(destination)]).toEqual([{ format, path }, main]);
  });

  it.each([
    ['x.pb', 'tfjs', 'x.pb is not a name for the format tfjs', ['x']],
    ['x.meta', 'pb', 'x.meta is not a name for the format pb', ['x.pb']],
    ['web/model.json', 'saved_model', 'web/model.json is not a name for the format saved_model', ['web/model']],
    ['x.onnx', undefined, 'bnfix does not write .onnx files', ['x.pb']],
    ['x.json', undefined, 'bnfix does not write .json files', ['x.pb', 'x/model.json']],
    ['x.index', undefined, 'bnfix does not write .index files', ['x.pb', 'x.meta']],
    ['-', 'saved_model', 'several files cannot be written to stdout', ['DIR']],
    ['-', 'meta', 'several files cannot be written to stdout', ['PREFIX']],
    ['x', 'onnx', 'no format named onnx', []],
  ] as const)('%s, format %s: %s', (output, format, message, outputs) => {
    const error = failure(() => destinationOf(output, format));
    expect([error.code, error.message]).toEqual(['usage', message]);
    expect(
      [...JSON.stringify(error.fixes).matchAll(/"option":"output","value":"([^"]*)"/g)].map(([, name]) => name),
    ).toEqual(outputs);
  });
});

it('only models for TensorFlow.js are quantized', () => {
  expect(quantizationNamed('uint8', 'tfjs')).toBe('uint8');
  expect(quantizationNamed(undefined, 'pb')).toBe(undefined);
  expect(failure(() => quantizationNamed('uint8', 'meta')).message).toBe(
    'weights are not quantized in the format meta',
  );
  expect(failure(() => quantizationNamed('int4', 'tfjs')).message).toBe('weights cannot be quantized to int4');
});

function failure(run: () => unknown): BnfixError {
  try {
    run();
  } catch (error) {
    if (error instanceof BnfixError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
