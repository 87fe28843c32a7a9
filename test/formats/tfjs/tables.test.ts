import { expect, it } from 'vitest';
import { attr } from '../../../src/graph/attrs.js';
import { DataType } from '../../../src/graph/dtype.js';
import { stringTensor } from '../../../src/graph/tensor.js';
import { stringsOf, tensorValue } from '../../../src/run/value.js';
import { constant, constantOf, graphOf, node, placeholder } from '../../support/build.js';
import { filesOfGraph, jsonIn, runFiles } from './support.js';

const [INT64, STRING] = [attr.type(DataType.DT_INT64), attr.type(DataType.DT_STRING)];
const text = (...words: string[]) => words.map((word) => new TextEncoder().encode(word));
const TYPES = { key_dtype: INT64, value_dtype: STRING };

function labels(fill: readonly string[] = ['table', 'keys', 'values']) {
  return graphOf([
    placeholder('x', DataType.DT_INT64, [-1, 2]),
    constant('keys', [3, 5], [2], DataType.DT_INT64),
    constantOf('values', stringTensor([2], text('cat', 'dog'))),
    constantOf('none', stringTensor([], text('?'))),
    node('table', 'HashTableV2', [], TYPES),
    node('fill', 'LookupTableImportV2', fill, { Tin: INT64, Tout: STRING }),
    node('y', 'LookupTableFindV2', ['table', 'x', 'none', '^fill'], { Tin: INT64, Tout: STRING }),
  ]);
}

it('a table of constants is filled before the first run, and keeps the shape of the keys', async () => {
  const files = await filesOfGraph(labels(), ['y']);
  const { modelInitializer, weightsManifest } = jsonIn(files) as {
    modelInitializer?: { node: { name: string }[] };
  } & ReturnType<typeof jsonIn>;
  expect(modelInitializer!.node.map(({ name }) => name)).toEqual(['keys', 'values', 'table', 'table/fill']);
  expect(weightsManifest[0]!.weights.map(({ name }) => name).sort()).toEqual(['keys', 'none', 'values']);
  const { y } = await runFiles(files, { x: tensorValue('int64', [2, 2], [5, 3, 4, 5]) }, ['y']);
  expect(y!.shape).toEqual([2, 2]);
  expect(stringsOf(y!).map(String)).toEqual(['dog', 'cat', '?', 'dog']);
});
