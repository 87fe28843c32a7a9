import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, expect, it } from 'vitest';
import { chooseOutputs } from '../../../src/analysis/training/outputs.js';
import { refText } from '../../../src/graph/node.js';
import { MemorySource } from '../../../src/io/source.js';
import { readGraphDef } from '../../../src/readers/graph_def.js';
import { dataText } from '../../support/data_text.js';
import { modelOf } from '../../support/model.js';
import { Results } from '../../support/results.js';

/** Training graphs that TensorFlow made (scripts/nets/save_training_graphs.py): with labels, losses, metrics, summaries and gradients. */
const FOLDER = new URL('outputs_of_nets/', import.meta.url);
/** The outputs that the author of the net wants, and tensors that are as good. */
const ANSWERS: Record<string, { readonly outputs: readonly string[]; readonly also: readonly string[] }> = JSON.parse(
  readFileSync(new URL('answers.json', FOLDER), 'utf8'),
);
/** Nets of which a tensor of the loss, or the tensor before the wanted one, is taken as well: not solved. */
const UNSOLVED: Readonly<Record<string, readonly string[]>> = {
  arcface: ['sub_1'],
  regression_huber_open: ['dense_1/BiasAdd'],
  ssd: ['Softmax'],
};
const results = new Results('analysis/training/outputs_of_nets/results.txt');

it.each(Object.entries(ANSWERS))('%s', (name, { outputs, also }) => {
  const packed = readFileSync(fileURLToPath(new URL(`${name}.pb.gz`, FOLDER)));
  const graph = readGraphDef(new MemorySource(gunzipSync(packed)));
  const choice = chooseOutputs(modelOf(graph));
  const candidates = choice.candidates.map(
    ({ ref, reader, demotion }) =>
      `${refText(ref)} (${[reader, ...(demotion ? [dataText(demotion)] : [])].join(', ')})`,
  );
  results.expect(name, `${dataText(choice.reason)}: ${candidates.join('; ')}`);
  // Otherwise nothing but what the author wants is taken without asking.
  const right = [...outputs, ...also].map((text) => text.replace(/:0$/, ''));
  expect(choice.outputs.map(refText).filter((text) => !right.includes(text))).toEqual(UNSOLVED[name] ?? []);
});

afterAll(() => results.save(Object.keys(ANSWERS)));
