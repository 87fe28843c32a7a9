import { readFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkFile } from '../../src/checkable.js';
import { BnfixError } from '../../src/errors.js';
import { onnx } from '../../src/proto/tensorflow.js';
import { temporaryFolder } from '../cli/support.js';
import { at, checkAt, summaryAt } from './support.js';

const out = temporaryFolder();

interface Case {
  /** What onnxruntime does with an example; null if it does not take the model. */
  readonly runtime: 'alone' | 'batch' | 'random' | null;
}

const CASES = JSON.parse(readFileSync(at('onnx/cases.json'), 'utf8')) as Record<string, Case>;

/** The verdict and the findings of each file of scripts/foreign/make_onnx.py. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  inference: ['ok'],
  inference_9: ['ok'],
  is_test_1: ['ok'],
  training_mode: ['affected', 'training-batch-norm bn'],
  training_mode_14: ['affected', 'training-batch-norm bn'],
  training_outputs_9: ['affected', 'training-batch-norm bn'],
  is_test_0: ['affected', 'training-batch-norm bn'],
  consumed_inputs: ['affected', 'training-batch-norm bn'],
  training_unused: ['ok'],
  // Statistics.
  nan_mean: ['affected', 'invalid-statistics bn'],
  nan_bias: ['affected', 'invalid-statistics conv'],
  half_precision: ['affected', 'invalid-statistics bn'],
  negative_variance: ['affected', 'invalid-statistics bn'],
  statistics_of_constants: ['affected', 'invalid-statistics bn'],
  untrained: ['ok', 'untrained-statistics bn'],
  typed_lists: ['ok', 'untrained-statistics bn'],
  external_data: ['affected', 'invalid-statistics bn'],
  external_data_missing: ['affected', 'missing-weights bn'],
  external_data_outside: ['affected', 'missing-weights bn'],
  tiny_variance: ['ok', 'tiny-variance bn'],
  negative_within_epsilon: ['ok', 'tiny-variance bn'],
  // Functions and subgraphs.
  function_training: ['affected', 'training-batch-norm layer1/bn'],
  function_inference: ['affected', 'invalid-statistics layer2/bn'],
  if_always: ['affected', 'training-batch-norm bn'],
  if_never: ['ok'],
  if_flag: ['ok_once', 'unpinned-flag is_training'],
  if_default_false: ['ok', 'unpinned-flag is_training'],
  if_default_true: ['affected', 'training-batch-norm bn'],
  where_flag: ['ok_once', 'unpinned-flag infer'],
  mixed_flag: ['ok_once', 'unpinned-flag inference'],
  mixed_stored: ['ok'],
  mixed_batch: ['affected', 'training-batch-norm bn'],
  mixed_half: ['affected', 'training-batch-norm bn'],
  loop: ['affected', 'training-batch-norm bn'],
  // Batch norms of several ops.
  unfused: ['affected', 'training-batch-norm root'],
  unfused_mean_of_squares: ['affected', 'training-batch-norm root'],
  unfused_axes_input: ['affected', 'training-batch-norm root'],
  unfused_instance_norm: ['ok'],
  unfused_layer_norm: ['ok'],
  standardized_image: ['ok'],
  instance_norm_by_batch_norm: ['ok'],
  batch_centered: ['ok', 'batch-dependence mean'],
  mean_variance_normalization: ['ok', 'batch-dependence mvn'],
  mean_variance_normalization_of_examples: ['ok'],
  // Dropout and random numbers.
  dropout_training: ['affected', 'active-dropout drop'],
  dropout_default_ratio: ['affected', 'active-dropout drop'],
  dropout_inference: ['ok'],
  dropout_without_flag: ['ok'],
  dropout_ratio_0: ['ok'],
  dropout_flag: ['ok_once', 'unpinned-flag train'],
  dropout_10: ['ok'],
  dropout_is_test_0: ['affected', 'active-dropout drop'],
  dropout_is_test_1: ['ok'],
  dropout_by_mask: ['affected', 'active-dropout uniform'],
  dropout_by_mask_rate_0: ['ok'],
  dropout_by_mask_keep_prob: ['ok_once', 'unpinned-flag keep_prob'],
  latent: ['ok', 'random-op noise'],
  random_unused: ['ok'],
  // What only training needs.
  gradient: ['ok', 'training-ops grad'],
  training_info: ['ok', 'training-ops'],
};

describe('check of an ONNX file', () => {
  it('has an expectation for every file', () => {
    expect(Object.keys(EXPECTED).sort()).toEqual(Object.keys(CASES).sort());
  });

  it.each(Object.entries(EXPECTED))('%s', async (name, expected) => {
    expect(await summaryAt(`onnx/${name}.onnx`)).toEqual(expected);
  });

  it.each(Object.entries(CASES))('%s: onnxruntime agrees', (name, { runtime }) => {
    const [verdict, ...findings] = EXPECTED[name]!;
    const isFound = (rules: RegExp) => verdict === 'ok_once' || findings.some((finding) => rules.test(finding));
    if (runtime === 'batch') expect(isFound(/^(training-batch-norm|batch-dependence) /)).toBe(true);
    if (runtime === 'random') expect(isFound(/^(active-dropout|random-op) /)).toBe(true);
    if (runtime === 'alone') expect(findings.join()).not.toMatch(/training-batch-norm|batch-dependence|active-dropout/);
  });

  it.each([
    ['frozen_inference_212', ['ok']],
    ['layer_norm_only', ['ok']],
    [
      'layers_fused_212',
      ['affected', 'batch_normalization/FusedBatchNormV3', 'batch_normalization_1/FusedBatchNormV3'],
    ],
    ['frozen_training_113', ['affected', 'conv1/BatchNorm/FusedBatchNorm', 'conv2/BatchNorm/batchnorm_1/Rsqrt']],
    ['slim_rank2_212', ['affected', 'fc1/BatchNorm/FusedBatchNormV3', 'bn2/FusedBatchNormV3']],
    ['rnn_flag', ['affected', 'bn/batchnorm/Rsqrt']],
  ])('%s, converted by tf2onnx as it is', async (name, expected) => {
    const { verdict, findings } = (await checkAt(`converted/${name}.onnx`)).result;
    expect(findings.every(({ rule }) => rule === 'training-batch-norm')).toBe(true);
    expect([verdict, ...findings.map(({ node }) => node)]).toEqual(expected);
  });

  it('gives the rate that keeps everything, where tf2onnx multiplies by a mask and by its opposite', async () => {
    const { findings } = (await checkAt('converted/dropout_rate_212.onnx')).result;
    const byDefault = findings.find(({ detail }) => detail.code === 'dropout_by_default');
    expect(byDefault).toMatchObject({
      node: 'drop_c/random_uniform/RandomUniform',
      detail: { flags: [{ name: 'drop_rate:0', value: 0 }] },
    });
  });

  it('counts batch norms, and says what repairs the model', async () => {
    const { kind, result } = await checkAt('onnx/training_mode.onnx');
    expect(kind).toBe('onnx');
    expect(result.batchNorms).toEqual({ total: 1, training: 1 });
    expect(result.repair).toEqual({
      code: 'convert',
      from: 'onnx',
      producer: 'make_onnx',
      inputs: ['x'],
      outputs: ['y'],
    });
    expect(result.findings[0]?.detail).toEqual({ code: 'batch_statistics', op: 'BatchNormalization', stored: true });
  });

  it('gives the values of flags', async () => {
    const once = async (name: string) => (await checkAt(`onnx/${name}.onnx`)).result.once;
    expect(await once('if_flag')).toEqual([{ name: 'is_training', value: false }]);
    expect(await once('where_flag')).toEqual([{ name: 'infer', value: true }]);
    expect(await once('dropout_by_mask_keep_prob')).toEqual([{ name: 'keep_prob', value: 1 }]);
    const [finding] = (await checkAt('onnx/if_default_true.onnx')).result.findings;
    expect(finding?.detail).toMatchObject({
      code: 'training_by_default',
      flags: [{ name: 'is_training', value: false }],
    });
  });

  it.each([
    ['Equal', 2, 'no', 2],
    ['Less', 3, 'yes', 3],
    ['Greater', 1, 'yes', 0],
    ['GreaterOrEqual', -4, 'yes', -5],
  ])('gives the value of a mode: %s(mode, %s), training: %s', async (op, number, training, value) => {
    const model = onnx.ModelProto.decode(readFileSync(at('onnx/where_flag.onnx')));
    const graph = model.graph!;
    const index = graph.node!.findIndex(({ op_type }) => op_type === 'Not');
    graph.input!.find(({ name }) => name === 'infer')!.type!.tensor_type!.elem_type = 6;
    graph.initializer!.push({ name: 'number', data_type: 6, dims: [], int32_data: [number] });
    const compared = { op_type: op, input: ['infer', 'number'], output: [training === 'yes' ? 'train' : 'infers'] };
    const negated = { op_type: 'Not', input: ['infers'], output: ['train'] };
    graph.node!.splice(index, 1, compared, ...(training === 'yes' ? [] : [negated]));
    writeFileSync(out('mode.onnx'), onnx.ModelProto.encode(model).finish());
    const check = () => checkFile({ path: out('mode.onnx'), file: out('mode.onnx'), kind: 'onnx' });
    const { result } = await check();
    expect([result.verdict, result.once]).toEqual(['ok_once', [{ name: 'infer', value }]]);
    // A default that is inference as well, though it is not the value of a comparison.
    if (op === 'Equal') return;
    const other = op === 'Less' ? value + 7 : value - 7;
    graph.initializer!.push({ name: 'infer', data_type: 6, dims: [], int32_data: [other] });
    writeFileSync(out('mode.onnx'), onnx.ModelProto.encode(model).finish());
    expect((await check()).result.verdict).toBe('ok');
  });

  it('refuses functions that expand without end', async () => {
    const call = (name: string, from: string, to: string) => ({
      op_type: name,
      domain: 'd',
      input: [from],
      output: [to],
    });
    const functions = [...Array(30).keys()].map((i) => ({
      name: `F${i}`,
      domain: 'd',
      input: ['a'],
      output: ['c'],
      node:
        i === 0
          ? [{ op_type: 'Relu', input: ['a'], output: ['c'] }]
          : [call(`F${i - 1}`, 'a', 'b'), call(`F${i - 1}`, 'b', 'c')],
    }));
    const graph = { node: [call('F29', 'x', 'y')], input: [{ name: 'x' }], output: [{ name: 'y' }] };
    writeFileSync(out('deep.onnx'), onnx.ModelProto.encode({ ir_version: 8, graph, functions }).finish());
    await expect(checkFile({ path: out('deep.onnx'), file: out('deep.onnx'), kind: 'onnx' })).rejects.toMatchObject({
      code: 'unsupported',
      fix: 'inline them first: onnx.inliner.inline_local_functions(model)',
    });
  });

  it('finds 100 flags', async () => {
    const name = (i: number) => (i === 0 ? 'x' : i === 100 ? 'y' : `v${i}`);
    const scalar = { tensor_type: { elem_type: 9, shape: { dim: [] } } };
    const node = [...Array(100).keys()].map((i) => ({
      op_type: 'Dropout',
      input: [name(i), '', `f${i}`],
      output: [name(i + 1)],
    }));
    const flags = [...Array(100).keys()].map((i) => ({ name: `f${i}`, type: scalar }));
    const graph = { node, input: [{ name: 'x' }, ...flags], output: [{ name: 'y' }] };
    const opset_import = [{ domain: '', version: 15 }];
    writeFileSync(out('flags.onnx'), onnx.ModelProto.encode({ ir_version: 8, opset_import, graph }).finish());
    const { result } = await checkFile({ path: out('flags.onnx'), file: out('flags.onnx'), kind: 'onnx' });
    expect(result.verdict).toBe('ok_once');
    expect(result.once).toHaveLength(100);
  });

  it('reads a corrupt file or refuses it', async () => {
    const path = out('corrupt.onnx');
    const names = Object.keys(EXPECTED);
    const byte = fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x0a, 0x12, 0x2a, 0x7f, 0x80, 0xff));
    const edit = fc.tuple(fc.nat(2000), fc.nat(3), fc.array(byte, { maxLength: 3 }));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...names),
        fc.array(edit, { minLength: 1, maxLength: 3 }),
        async (name, edits) => {
          let bytes = [...readFileSync(at(`onnx/${name}.onnx`))];
          for (const [start, length, inserted] of edits)
            bytes = bytes.toSpliced(start % bytes.length, length, ...inserted);
          writeFileSync(path, Uint8Array.from(bytes));
          try {
            await checkFile({ path, file: path, kind: 'onnx' });
          } catch (error) {
            expect(error).toBeInstanceOf(BnfixError);
            expect((error as BnfixError).code).not.toBe('internal');
          }
        },
      ),
      { numRuns: 400 },
    );
  });
});
