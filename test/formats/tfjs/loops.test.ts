import { expect, it } from 'vitest';
import { attr } from '../../../src/graph/attrs.js';
import { DataType } from '../../../src/graph/dtype.js';
import { tensorValue } from '../../../src/run/value.js';
import { loop } from '../../support/run.js';
import { filesOfGraph, runFiles } from './support.js';

it('a loop waits for what it reads from outside, though TensorFlow.js computes it last', async () => {
  const graph = loop();
  const T = { T: attr.type(DataType.DT_INT32) };
  let last = 'n';
  for (const name of ['a', 'b', 'c', 'd']) {
    graph.add({ name, op: 'Neg', inputs: [{ node: last, port: 0 }], attr: T });
    last = name;
  }
  graph.setInput(graph.get('enter_n'), 0, { node: last, port: 0 });
  const files = await filesOfGraph(graph, ['exit_p']);
  const run = await runFiles(files, { n: tensorValue('int32', [], [3]) }, ['exit_p']);
  expect(run['exit_p']!.data).toEqual(new Int32Array([8]));
});
