// TensorFlow.js in Node.js: worker_node.mjs cpu|wasm. Reads jobs a line each, as worker.py does.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import * as converter from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import { raceOf, verdictOf } from './run.mjs';

// Kernels and banners print to standard output: results have it for themselves.
for (const name of ['log', 'info', 'warn', 'debug']) console[name] = () => {};
await tf.setBackend(process.argv[2] ?? 'cpu');
await tf.ready();

for await (const line of createInterface({ input: process.stdin })) {
  const job = JSON.parse(line);
  const result = job.models
    ? await raceOf(tf, converter, { ...job, models: mapped(job.models, withTruth) }, artifactsOf)
    : await verdictOf(tf, converter, withTruth(job), artifactsOf);
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

function mapped(values, change) {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value)]));
}

function withTruth(job) {
  return { ...job, golden: JSON.parse(readFileSync(job.truth, 'utf8')) };
}

/** A folder with model.json as artifacts in memory. */
function artifactsOf(folder) {
  const { weightsManifest, ...others } = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8'));
  const weightSpecs = weightsManifest.flatMap(({ weights }) => weights);
  const files = weightsManifest.flatMap(({ paths }) => paths.map((path) => readFileSync(join(folder, path))));
  return { ...others, weightSpecs, weightData: new Uint8Array(Buffer.concat(files)).buffer };
}
