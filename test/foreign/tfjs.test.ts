import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkFile, modelAt } from '../../src/checkable.js';
import { BnfixError } from '../../src/errors.js';
import { loadTfjs } from '../../src/foreign/tfjs/load_tfjs.js';
import { readModelJson } from '../../src/foreign/tfjs/model_json.js';
import { readNumbers } from '../../src/graph/tensor.js';
import { FileSource } from '../../src/io/file_source.js';
import { converter, core } from '../../src/run/tfjs_bundle.js';
import { temporaryFolder } from '../cli/support.js';
import { at, checkAt, summaryAt } from './support.js';

const out = temporaryFolder();

/** The verdict and the findings of each folder of test/foreign/tfjs. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  training: ['affected', 'training-batch-norm bn'],
  frozen_training_113: [
    'affected',
    'training-batch-norm conv2/BatchNorm/batchnorm_1/Rsqrt',
    'training-batch-norm conv1/BatchNorm/FusedBatchNorm/batch_norm',
  ],
  slim_rank2_212: [
    'affected',
    'training-batch-norm bn2/FusedBatchNormV3',
    'training-batch-norm fc1/BatchNorm/FusedBatchNormV3/batch_norm',
  ],
  rnn_flag: ['affected', 'training-batch-norm bn/batchnorm/Rsqrt'],
  dropout_rate_212: [
    'affected',
    ...['drop_b', 'drop_a', 'drop_c', 'drop_d/dropout', 'drop_e/dropout'].map(
      (drop) => `active-dropout ${drop}/SelectV2`,
    ),
  ],
  inference: ['ok'],
  frozen_inference_212: ['ok'],
  layer_norm_only: ['ok'],
  // The converter folds fused batch norms with their moving averages.
  layers_fused_212: ['ok'],
  negative: ['affected', 'invalid-statistics bn'],
  quantized: ['affected', 'invalid-statistics bn'],
  shards: ['affected', 'invalid-statistics bn'],
  half: ['ok', 'untrained-statistics bn'],
  layers: ['ok'],
  layers_negative: ['affected', 'invalid-statistics bn'],
};

/** What TensorFlow.js itself outputs for a model with the input x and the output y. */
async function outputOf(name: string, x: core.Tensor): Promise<number[]> {
  const folder = at(`tfjs/${name}`);
  const json = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8'));
  const groups = json.weightsManifest as { paths: string[]; weights: never[] }[];
  const weightData = Buffer.concat(
    groups.flatMap(({ paths }) => paths.map((path) => readFileSync(join(folder, path)))),
  );
  const model = await converter.loadGraphModel({
    load: async () => ({
      modelTopology: json.modelTopology,
      weightSpecs: groups.flatMap(({ weights }) => weights),
      weightData: new Uint8Array(weightData).buffer,
    }),
  });
  const y = model.execute({ x }) as core.Tensor;
  return [...y.dataSync()];
}

describe('check of a model of TensorFlow.js', () => {
  it.each(Object.entries(EXPECTED))('%s', async (name, expected) => {
    expect(await summaryAt(`tfjs/${name}/model.json`)).toEqual(expected);
  });

  it('TensorFlow.js loads a batch norm in training mode in silence, and outputs nonsense', async () => {
    const x = core.tensor(
      [...Array(96).keys()].map((i) => (i % 7) / 2),
      [2, 4, 4, 3],
    );
    const [right, wrong] = [await outputOf('inference', x), await outputOf('training', x)];
    expect(right.filter((value) => Math.abs(value) < 1).length).toBeGreaterThan(10);
    // tanh of infinity.
    expect(wrong.every((value) => Number.isNaN(value) || Math.abs(value) === 1)).toBe(true);
  });

  it('reads weights across shards, quantised ones, and those of half precision', async () => {
    const variance = async (name: string) => {
      const source = new FileSource(at(`tfjs/${name}/model.json`));
      const model = await loadTfjs(source, readModelJson(source), (path) => new FileSource(at(`tfjs/${name}/${path}`)));
      const numbers = readNumbers(model.graph.get('variance').tensor!);
      model.close();
      source.close();
      return [...numbers];
    };
    expect(await variance('shards')).toEqual([1, -2, 1]);
    expect(await variance('half')).toEqual([1, 1, 1]);
    const [first, second] = await variance('quantized');
    expect(first).toBeCloseTo(1, 1);
    expect(second).toBeCloseTo(-2, 1);
  });

  it('says how to repair and convert it', async () => {
    const { kind, result } = await checkAt('tfjs/frozen_training_113/model.json');
    expect(kind).toBe('tfjs');
    expect(result.batchNorms).toEqual({ total: 2, training: 2 });
    expect(result.repair).toMatchObject({ code: 'convert', from: 'tfjs', outputs: ['final_result'] });
  });

  it('checks the topology if files with weights are missing', async () => {
    cpSync(at('tfjs/training'), out('training'), { recursive: true });
    rmSync(out('training/group1-shard1of1.bin'));
    const { result } = await checkFile(modelAt(out('training/model.json')));
    expect(result.findings.map(({ rule }) => rule).sort()).toEqual(['missing-weights', 'training-batch-norm']);
  });

  it('checks the topology if the manifest lists no weights', async () => {
    const { weightsManifest: _, ...json } = JSON.parse(readFileSync(at('tfjs/training/model.json'), 'utf8'));
    writeFileSync(out('topology_model.json'), JSON.stringify(json));
    const { result } = await checkFile(modelAt(out('topology_model.json')));
    expect(result.findings[0]).toMatchObject({ rule: 'training-batch-norm', node: 'bn' });
    expect(result.findings.slice(1).map(({ rule }) => rule)).toContain('missing-weights');
  });

  it('reads no file outside of the folder of the model', async () => {
    cpSync(at('tfjs/inference'), out('inside/model'), { recursive: true });
    cpSync(at('tfjs/inference/group1-shard1of1.bin'), out('inside/outside.bin'));
    const path = out('inside/model/model.json');
    const json = readFileSync(path, 'utf8').replace('group1-shard1of1.bin', '../outside.bin');
    writeFileSync(path, json);
    const { result } = await checkFile(modelAt(path));
    expect(result.findings).toMatchObject([{ rule: 'missing-weights', node: '../outside.bin' }]);
  });

  it('reads a corrupt file or refuses it', async () => {
    const text = readFileSync(at('tfjs/inference/model.json'), 'utf8');
    cpSync(at('tfjs/inference'), out('corrupt'), { recursive: true });
    const path = out('corrupt/model.json');
    const word = fc.constantFrom('"', '{', '[', ']', '0', '-1', '1e99', 'null', '"DT_HALF"', '"x":{},', '{"a":1}');
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length), fc.nat(30), word, async (start, length, inserted) => {
        writeFileSync(path, text.slice(0, start) + inserted + text.slice(start + length));
        try {
          await checkFile({ path, file: path, kind: 'tfjs' });
        } catch (error) {
          expect(error).toBeInstanceOf(BnfixError);
          expect((error as BnfixError).code).not.toBe('internal');
        }
      }),
      { numRuns: 300 },
    );
  });
});
