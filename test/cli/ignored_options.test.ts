import { describe, expect, it } from 'vitest';
import { BAG_MODEL, cli, fixture } from './support.js';

const FLAG = fixture('nan_behind_flag_fused_113/model.meta');

describe('options that would do nothing', () => {
  it.each<[string, string[], string]>([
    [
      '--keep of what the graph does not have',
      [BAG_MODEL, '--keep', 'conv1/conv1_3'],
      'no node or scope named conv1/conv1_3',
    ],
    ['a scope with a typo', [BAG_MODEL, '--keep', 'conv1/conv1_1/BatchNom'], 'did you mean conv1/conv1_1/BatchNorm'],
    ['--tag of a .meta', [BAG_MODEL, '--tag', 'serve'], 'has no tags: it is not a SavedModel'],
    ['an empty --outputs', [BAG_MODEL, '--outputs', ''], '--outputs is empty'],
    ['an empty --keep among others', [BAG_MODEL, '--keep', 'conv1', '--keep', ''], '--keep is empty'],
    ['an empty --checkpoint', [BAG_MODEL, '--checkpoint', ''], '--checkpoint is empty'],
    ['an empty MODEL', [''], 'MODEL is empty'],
    [
      'two outputs',
      [BAG_MODEL, '-o', 'a.pb', '--output_graph', 'b.pb'],
      '--output and --output_graph have different values',
    ],
    ['two models', [BAG_MODEL, '--input_graph', 'b.meta'], 'two models: '],
    ['half a bool', [FLAG, '--set', 'phase=0.5'], 'phase is a bool and cannot be 0.5'],
    ['two values', [FLAG, '--set', 'phase=true,phase=false'], '--set gives phase two values'],
  ])('%s: exit 2', async (_, args, text) => {
    const { code, stdout, stderr } = await cli(['freeze', ...args, '--dry-run']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(text);
  });

  it('takes the same value twice, and 0 and 1 for a bool', async () => {
    expect(await cli(['freeze', BAG_MODEL, '-o', 'a.pb', '--output_graph', 'a.pb', '--dry-run', '-q'])).toMatchObject({
      code: 0,
      stderr: '',
    });
    expect(await cli(['freeze', FLAG, '--set', 'phase=0', '--dry-run', '-q'])).toMatchObject({ code: 0 });
  });
});

describe('warnings', () => {
  it('are on stderr with -q, too', async () => {
    const { code, stdout, stderr } = await cli(['freeze', BAG_MODEL, '--ema', '--dry-run', '-q']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toBe('bnfix: warning: no variable that feeds an output has a moving average: --ema has no effect\n');
  });

  it('say what --allow-untrained allowed', async () => {
    const model = fixture('untrained_113/model.meta');
    const { code, stderr } = await cli(['freeze', model, '--allow-untrained', '--dry-run']);
    expect(code).toBe(0);
    expect(stderr).toContain(
      'bnfix: warning: statistics that were never updated (all 0 or all 1) are in use (--allow-untrained)',
    );
  });

  it('name statistics that cannot be right, fused and unfused', async () => {
    const { code, stderr } = await cli(['freeze', fixture('inference_negative_113/model.meta'), '--dry-run', '-q']);
    expect(code).toBe(0);
    expect(stderr.split('\n')).toEqual([
      'bnfix: warning: bn1/FusedBatchNorm uses invalid statistics: bn1/pop_var has a negative value: -0.0001',
      'bnfix: warning: bn2/batchnorm/Rsqrt uses invalid statistics: bn2/pop_var has a negative value: -0.0001',
      '',
    ]);
  });

  it('name a checkpoint that was given and is not used', async () => {
    const frozen = fixture('frozen_inference_113/frozen.pb');
    const prefix = BAG_MODEL.replace(/\.meta$/, '');
    const { code, stderr } = await cli(['freeze', frozen, '--checkpoint', prefix, '--dry-run', '-q']);
    expect(code).toBe(0);
    expect(stderr).toBe(`bnfix: warning: the checkpoint ${prefix} is not used: the outputs need no variable\n`);
  });

  it('are data in JSON', async () => {
    const { stdout, stderr } = await cli(['freeze', BAG_MODEL, '--ema', '--dry-run', '--json']);
    expect(JSON.parse(stdout).notices).toEqual([{ code: 'no_ema' }]);
    expect(stderr).toBe('');
  });
});
