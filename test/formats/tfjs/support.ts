import '@tensorflow/tfjs-backend-cpu';
import * as converter from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import type { Quantization } from '../../../src/formats/destination.js';
import type { FormatInput } from '../../../src/formats/format.js';
import { TFJS } from '../../../src/formats/tfjs/tfjs.js';
import { freeze } from '../../../src/freezing/freeze.js';
import type { Graph } from '../../../src/graph/graph.js';
import { concatBytes } from '../../../src/io/bytes.js';
import { type TensorValue, tensorValue } from '../../../src/run/value.js';
import type { ResultFile } from '../../../src/writers/encoded.js';
import { modelOf } from '../../support/model.js';

/** The parts of a model.json that tests look at. */
export interface ModelJson extends tf.io.ModelJSON {
  readonly modelTopology: {
    readonly node: readonly { name: string; op: string; input?: readonly string[]; attr: object }[];
  };
  readonly signature: { readonly inputs: object; readonly outputs: object };
}

/** All bytes of a file of a result. */
export function bytesOf({ encoded }: ResultFile): Uint8Array {
  const bytes = concatBytes(Array.from(encoded.chunks(), (chunk) => chunk.slice()));
  expect(bytes.length).toBe(encoded.byteLength);
  return bytes;
}

/** The files of a result for TensorFlow.js, by path. */
export async function filesOf(result: FormatInput, quantize?: Quantization): Promise<Map<string, Uint8Array>> {
  const files = await TFJS.encode(result, { quantize });
  expect(files.at(-1)?.path).toBe('model.json');
  expect(files.every(({ path }) => TFJS.isOwn(path))).toBe(true);
  return new Map(files.map((file) => [file.path, bytesOf(file)]));
}

/** The model.json among files. */
export function jsonIn(files: ReadonlyMap<string, Uint8Array>): ModelJson {
  return JSON.parse(new TextDecoder().decode(files.get('model.json')));
}

/** Loads a model into TensorFlow.js itself, without any kernel of bnfix. */
export async function loadFiles(files: ReadonlyMap<string, Uint8Array>): Promise<converter.GraphModel> {
  tf.env().set('PROD', true);
  await tf.setBackend('cpu');
  const { weightsManifest, ...json } = jsonIn(files);
  const weightSpecs = weightsManifest.flatMap(({ weights }) => weights);
  const shards = weightsManifest.flatMap(({ paths }) => paths.map((path) => files.get(path)!));
  const weightData = concatBytes(shards).slice().buffer as ArrayBuffer;
  return converter.loadGraphModel(tf.io.fromMemory({ ...json, weightSpecs, weightData } as tf.io.ModelArtifacts));
}

/** Runs a model in TensorFlow.js. @returns values by the names of what is fetched */
export async function runFiles(
  files: ReadonlyMap<string, Uint8Array>,
  feeds: Readonly<Record<string, TensorValue>>,
  fetches: readonly string[],
): Promise<Record<string, TensorValue>> {
  const model = await loadFiles(files);
  const inputs = Object.fromEntries(Object.entries(feeds).map(([name, value]) => [name, tensorOf(value)]));
  const outputs = [await model.executeAsync(inputs, [...fetches])].flat();
  const values = outputs.map((tensor) => tensorValue(tensor.dtype, tensor.shape, tensor.dataSync()));
  model.dispose();
  tf.dispose([...Object.values(inputs), ...outputs]);
  return Object.fromEntries(fetches.map((name, i) => [name, values[i]!]));
}

function tensorOf({ dtype, shape, data }: TensorValue): tf.Tensor {
  if (Array.isArray(data))
    return tf.tensor(
      data.map((text) => new TextDecoder().decode(text)),
      [...shape],
      'string',
    );
  const numbers = Array.from(data as ArrayLike<number | bigint>, Number);
  const type = dtype === 'bool' ? 'bool' : /int/.test(dtype) ? 'int32' : 'float32';
  return tf.tensor(numbers, [...shape], type);
}

/** The files of a graph that is frozen already. */
export function filesOfGraph(graph: Graph, outputs: readonly string[], quantize?: Quantization) {
  return filesOf(freeze(modelOf(graph), { outputs }), quantize);
}
