// The script of the page in Chromium: window.run(job) outputs what a worker does.
import * as converter from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { raceOf, verdictOf } from './run.mjs';

setWasmPaths('/wasm/');

globalThis.start = async (backend) => {
  await tf.setBackend(backend);
  await tf.ready();
  return tf.getBackend();
};

globalThis.run = async (job) =>
  job.models ? raceOf(tf, converter, job, artifactsOf) : verdictOf(tf, converter, job, artifactsOf);

/** The model below a path of the server, loaded as web pages load it. */
async function artifactsOf(path) {
  return await tf.io.http(`/models/${encodeURIComponent(path)}/model.json`).load();
}
