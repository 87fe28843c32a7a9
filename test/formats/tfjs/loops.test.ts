import { expect, it } from 'vitest';
import { tensorValue } from '../../../src/run/value.js';
import { loopAfterLoop } from '../../support/run.js';
import { filesOfGraph, runFiles } from './support.js';

it('a loop waits for what it reads from outside, which TensorFlow.js computes after it has entered the loop', async () => {
  const files = await filesOfGraph(loopAfterLoop(), ['second/exit_p']);
  const run = await runFiles(files, { n: tensorValue('int32', [], [2]) }, ['second/exit_p']);
  expect(run['second/exit_p']!.data).toEqual(new Int32Array([16]));
});
