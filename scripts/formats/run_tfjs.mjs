// Runs the model of big_model.py in TensorFlow.js, on the CPU: node scripts/formats/run_tfjs.mjs DIR FOLDER
// DIR has golden.npz, FOLDER the model.json. Exit code 1 for another output; quantized weights may be 5 % off.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import * as converter from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import { unzipSync } from 'fflate';

const [folder, made] = process.argv.slice(2);
const { weightsManifest, ...json } = JSON.parse(readFileSync(join(made, 'model.json'), 'utf8'));
const isQuantized = weightsManifest.some(({ weights }) => weights.some(({ quantization }) => quantization));

tf.env().set('PROD', true);
const model = await converter.loadGraphModel({
  load: async () => ({
    ...json,
    weightSpecs: weightsManifest.flatMap(({ weights }) => weights),
    // Too large for one buffer.
    weightData: weightsManifest.flatMap(({ paths }) =>
      paths.map((path) => new Uint8Array(readFileSync(join(made, path))).buffer),
    ),
  }),
});
const arrays = unzipSync(readFileSync(join(folder, 'golden.npz')));
const [x, want] = ['x.npy', 'out.npy'].map((name) => floatsOf(arrays[name]));
const got = model.execute({ x: tf.tensor(x.data, x.shape) }, 'out').dataSync();
const off = want.data.reduce((most, value, i) => Math.max(most, Math.abs(value - got[i])), 0);
const most = want.data.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
console.log(`TensorFlow.js: ${got.length} values, off by ${(off / most).toExponential(1)}`);
if (!(off / most <= (isQuantized ? 0.05 : 2e-4))) process.exitCode = 1;

/** A .npy file of float32. */
function floatsOf(bytes) {
  const length = bytes[8] | (bytes[9] << 8);
  const header = new TextDecoder().decode(bytes.subarray(10, 10 + length));
  const shape = /'shape': \(([^)]*)\)/
    .exec(header)[1]
    .split(',')
    .filter((size) => size.trim())
    .map(Number);
  return { shape, data: new Float32Array(bytes.slice(10 + length).buffer) };
}
