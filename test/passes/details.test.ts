import { expect, it } from 'vitest';
import { BnfixError } from '../../src/errors.js';
import { parseTensorName } from '../../src/graph/node.js';
import { parseGraph } from '../../src/notation/parse.js';
import { cutInputs } from '../../src/passes/cut_inputs.js';
import { renamedOutputs } from '../../src/passes/rename_outputs.js';

/** What is wrong with cutting a graph at a tensor. */
function errorOf(text: string, tensor: string): BnfixError {
  const graph = parseGraph(text);
  const inputs = [{ tensor: parseTensorName(tensor), shape: undefined }];
  try {
    cutInputs.run({ graph, inputs, outputs: [], flags: [] } as never);
  } catch (error) {
    if (error instanceof BnfixError) return error;
    throw error;
  }
  throw new Error('cut');
}

it('a tensor whose dtype is unknown is no input: the error says what could be', () => {
  const custom = errorOf('c = MyDecoder(file)\ny = Relu(c)', 'c');
  expect(custom).toMatchObject({
    where: 'c',
    why: 'MyDecoder is a custom op',
    fixes: [{ option: 'inputs', value: 'TENSOR', text: 'cuts at another tensor' }],
  });
  const port = errorOf('s = Split(0, x)[num_split=2]\ny = Relu(s:2)', 's:2');
  expect(port).toMatchObject({ message: 'the dtype of s:2 is unknown', why: 'Split has 2 outputs' });
});

it('a tensor that is not found: the placeholders of the graph are', () => {
  const placeholders = Array.from({ length: 12 }, (_, i) => `p${i} = Placeholder[shape=[2]]\n`).join('');
  expect(errorOf(`${placeholders}c = [1.0]`, 'z')).toMatchObject({
    option: 'inputs',
    fixes: [{ text: 'placeholders of this graph: p0, p1, p2, p3, p4, p5, p6, p7, p8, p9' }],
  });
  expect(errorOf('c = [1.0]', 'z').fixes).toEqual([]);
});

it('outputs have their new names', () => {
  const outputs = ['a', 's:1', 's'].map(parseTensorName);
  const names = [{ tensor: parseTensorName('s:1'), name: 'right' }];
  expect(renamedOutputs(outputs, names)).toEqual(['a', 'right', 's'].map(parseTensorName));
});
