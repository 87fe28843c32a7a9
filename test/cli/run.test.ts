import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { writeNpy } from '../../src/cli/data/npy.js';
import { readNpz } from '../../src/cli/data/npz.js';
import { compare } from '../../src/proof/compare.js';
import { dtypeOf } from '../../src/run/value.js';
import { readGolden } from '../support/golden.js';
import { schemaFaults } from './schema_faults.js';
import { BAG_MODEL, cli, fixture, temporaryFolder } from './support.js';

const at = temporaryFolder();
const json = async (...args: string[]) => JSON.parse((await cli(['run', ...args, '--json'])).stdout);

/** Runs a fixture on the inputs of its golden file. @returns the errors of what TensorFlow computed with the model as it was saved */
async function differences(name: string, ...args: string[]): Promise<string[]> {
  const { inputs, before } = readGolden(fixture(`${name}/golden.json`));
  const files = Object.entries(inputs).flatMap(([input, value], i) => {
    writeFileSync(at(`${i}.npy`), writeNpy(value));
    return ['--input', `${input}=${at(`${i}.npy`)}`];
  });
  const fetches = ['--fetch', Object.keys(before).join()];
  const model = fixture(`${name}/model.meta`);
  const { code, stderr } = await cli(['run', model, ...files, ...fetches, '--save', at('saved'), '--force', ...args]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const saved = readNpz(readFileSync(at('saved/outputs.npz')), 'outputs.npz');
  expect([...saved.keys()]).toEqual(Object.keys(before));
  const tolerance = { atol: 2e-4, rtol: 2e-4 };
  return [...saved]
    .filter(([name, value]) => !compare(name, value, before[name]!, tolerance).isWithin)
    .map(([name]) => name);
}

it('exit 3 for a model without its checkpoint, as freeze', async () => {
  copyFileSync(BAG_MODEL, at('model.meta'));
  const { code, stderr } = await cli(['run', at('model.meta')]);
  expect([code, stderr.split('\n')[0]]).toEqual([3, `bnfix: no checkpoint found for ${at('model.meta')}`]);
});

describe('bnfix run', () => {
  it.each<[string, string[]]>([
    ['mission_numbers', []],
    ['untrained_113', []],
    ['default_true_113', []],
    // In training mode, as TensorFlow was run.
    ['cond_layers_113', ['--set', 'is_training=true']],
    ['if_layers_115', ['--set', 'is_training=true']],
    ['phase_train_212', ['--set', 'phase_train=true']],
    ['select_flag_113', ['--set', 'mode/train=true']],
  ])('computes what TensorFlow does with %s %s', async (name, args) => {
    expect(await differences(name, ...args)).toEqual([]);
  });

  it('says that batch norms are in training mode, and shows a table', async () => {
    const args = [
      BAG_MODEL,
      '--fetch',
      'conv1/conv1_1/BatchNorm/FusedBatchNorm',
      '--shape',
      'input/image_input=2,8,8,3',
    ];
    const { stdout } = await cli(['run', ...args], { env: { COLUMNS: '200' } });
    const text = stdout.replaceAll(/\s+/g, ' ');
    expect(text).toContain('! Run as it was saved, in training mode: 1 batch norm uses batch statistics');
    expect(text).toContain('Inputs: input/image_input float32 [2,8,8,3] (random) ');
    expect(text).toMatch(/FusedBatchNorm:0 float32 \[2,8,8,32\] -\d\S* \d\S* \S+ (\S+ ){4}\S+/);
    const { outputs } = await json(...args);
    expect(outputs[0].min).toBeLessThan(outputs[0].mean);
    expect(outputs[0].first).toHaveLength(5);
  });

  it('the outputs of the frozen file are those of --repaired', async () => {
    await cli(['freeze', BAG_MODEL, '-o', at('frozen.pb')]);
    // A checkpoint that the frozen graph does not need.
    await cli(['freeze', BAG_MODEL, '-o', at('beside.meta')]);
    const [frozen, repaired] = [await json(at('frozen.pb')), await json(BAG_MODEL, '--repaired')];
    expect(frozen.outputs).toEqual(repaired.outputs);
    expect(frozen).toMatchObject({ graph: 'saved', batchStatistics: [], checkpoint: null });
    expect(repaired).toMatchObject({ graph: 'repaired', batchStatistics: [], dropouts: [] });
    const saved = await json(BAG_MODEL);
    expect(saved.batchStatistics).toHaveLength(4);
    expect(saved.outputs[0].mean).not.toBeCloseTo(repaired.outputs[0].mean, 3);
  });

  it('keeps defaults of flags, and leaves out dropouts whose rate has no value', async () => {
    const kept = await json(fixture('default_true_113/model.meta'));
    expect(kept.flags).toEqual([{ name: 'bn_train', value: true, reason: 'default' }]);
    const model = fixture('dropout_keep_prob_113/model.meta');
    const without = await json(model);
    expect(without).toMatchObject({ dropouts: [], withoutDropouts: ['dropout/mul'], missing: ['keep_prob'] });
    const active = await json(model, '--set', 'keep_prob=0.5');
    expect(active).toMatchObject({
      dropouts: ['dropout/mul'],
      withoutDropouts: [],
      flags: [{ name: 'keep_prob', value: 0.5, reason: 'given' }],
    });
  });

  it('takes a value in place of any tensor', async () => {
    const inner = 'conv1/conv1_1/BatchNorm/FusedBatchNorm';
    const shape = ['--shape', 'input/image_input=2,8,8,3'];
    await cli(['run', BAG_MODEL, ...shape, '--fetch', inner, '--save', at('inner')]);
    const given = await json(
      BAG_MODEL,
      '--input',
      `${inner}=${at('inner/outputs.npz')}`,
      '--fetch',
      `${inner},${inner}:0`,
    );
    expect(given.inputs).toEqual([{ name: inner, dtype: 'float32', shape: [2, 8, 8, 32], isRandom: false }]);
  });

  it.each<[string[], number, string]>([
    [['--fetch', 'conv1/conv1_1/BatchNorm/FusedBatchNor'], 2, '--fetch conv1/conv1_1/BatchNorm/FusedBatchNorm\n'],
    [['--input', 'image=x.npy'], 3, 'x.npy not found'],
    [['--save', ''], 2, '--save is empty'],
  ])('%s: refused', async (args, code, message) => {
    const run = await cli(['run', BAG_MODEL, ...args]);
    expect(run.code).toBe(code);
    expect(run.stderr).toContain(message);
  });

  it('says that the batch of a graph is fixed', async () => {
    await cli(['freeze', BAG_MODEL, '-o', at('one.pb'), '--input-shape', '1,32,32,3']);
    for (const command of ['run', 'verify']) {
      const model = command === 'run' ? [at('one.pb')] : [BAG_MODEL, at('one.pb')];
      const { code, stderr } = await cli([command, ...model, '--batch', '4']);
      expect(code).toBe(2);
      expect(stderr).toContain('a batch of 4 does not fit: input/image_input has a fixed batch of 1\n');
      expect(stderr).toContain('--batch 1');
    }
    expect((await cli(['run', at('one.pb'), '--batch', '1', '-q'])).code).toBe(0);
  });

  it('asks which tensors to fetch, where outputs are unclear', async () => {
    const { code, stderr } = await cli(['run', fixture('reader_scope/model.meta')]);
    expect(code).toBe(2);
    expect(stderr).toContain('--fetch ');
  });
});

describe('docs/run.schema.json', () => {
  it('describes what is printed', async () => {
    const faults = schemaFaults('run.schema.json');
    for (const args of [
      [BAG_MODEL, '--save', at('out')],
      [fixture('cond_layers_113/model.meta')],
      [fixture('dropout_keep_prob_113/model.meta'), '--repaired'],
      [BAG_MODEL, '--fetch', 'nothing'],
    ]) {
      expect([args, faults(await json(...args))]).toEqual([args, []]);
    }
    expect(faults({ command: 'run' })).not.toEqual([]);
  });
});

describe('bnfix run --save', () => {
  it('overwrites nothing without --force, and never a folder with other files', async () => {
    const args = ['run', BAG_MODEL, '--shape', 'input/image_input=2,8,8,3', '--save', at('out')];
    expect((await cli(args)).stdout).toContain('Wrote ');
    const again = await cli(args);
    expect(again.code).toBe(6);
    expect(again.stderr).toContain('--force');
    expect((await cli([...args, '--force'])).code).toBe(0);
    writeFileSync(at('out/mine.txt'), 'mine');
    const { code, stderr } = await cli([...args, '--force']);
    expect(code).toBe(6);
    expect(stderr).toContain('contains other files');
    expect(stderr).toContain('--save');
    expect(readFileSync(at('out/mine.txt'), 'utf8')).toBe('mine');
  });

  it('never overwrites an input', async () => {
    const args = ['run', BAG_MODEL, '--shape', 'input/image_input=2,8,8,3', '--save', at('out')];
    await cli([...args, '--fetch', 'input/image_input']);
    const before = readFileSync(at('out/outputs.npz'));
    // Without --save it is only read, and named.
    const read = await cli(['run', BAG_MODEL, '--input', at('out/outputs.npz')], { env: { COLUMNS: '300' } });
    expect(read.stdout.replaceAll(/\s+/g, ' ')).toContain(`float32 [2,8,8,3] (${at('out/outputs.npz')})`);
    const { code } = await cli(['run', BAG_MODEL, '--input', at('out/outputs.npz'), '--save', at('out'), '--force']);
    expect(code).toBe(6);
    expect(readFileSync(at('out/outputs.npz'))).toEqual(before);
  });

  it('writes nothing if the run fails', async () => {
    const { code } = await cli(['run', BAG_MODEL, '--fetch', 'nothing', '--save', at('out')]);
    expect(code).toBe(2);
    expect(existsSync(at('out'))).toBe(false);
  });

  it('is readable by NumPy names and dtypes', async () => {
    await cli(['run', BAG_MODEL, '--shape', 'input/image_input=2,8,8,3', '--save', at('out')]);
    const saved = readNpz(readFileSync(at('out/outputs.npz')), 'outputs.npz');
    const value = saved.get('output/image_output:0')!;
    expect([dtypeOf(value.dtype), value.shape]).toEqual([dtypeOf('float32'), [2, 8, 8, 3]]);
  });
});
