import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ensureBuilt } from '../build.js';
import { BAG_MODEL, cli, fixture, spawnCli, temporaryFolder } from '../support.js';

const at = temporaryFolder();
const schema = JSON.parse(readFileSync(new URL('../../../docs/report.schema.json', import.meta.url), 'utf8'));
const validate = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema);

beforeAll(ensureBuilt, 120_000);

beforeEach(() => {
  cpSync(dirname(BAG_MODEL), at('bag'), { recursive: true });
  cpSync(dirname(fixture('slim_fused_113/model.meta')), at('slim'), { recursive: true });
  cpSync(dirname(fixture('untrained_113/model.meta')), at('untrained'), { recursive: true });
});

const BAG = { model: 'bag/bag-model-34000.meta', output: 'bag.pb' };
const SLIM = { model: 'slim/model.meta', output: 'slim.pb' };
const UNTRAINED = { model: 'untrained/model.meta', output: 'untrained.pb' };

function writeConfig(...models: object[]): void {
  writeFileSync(at('bnfix.config.json'), JSON.stringify({ models }));
}

function run(...args: string[]) {
  return spawnCli(['freeze', '--config', ...args], { cwd: at(), env: { NODE_OPTIONS: '' } });
}

describe('freeze --config', () => {
  it('writes what the commands one by one would write', async () => {
    writeConfig(BAG, { ...SLIM, fold: true }, { ...UNTRAINED, allowUntrained: true });
    const { code, stdout, stderr } = await run('--jobs', '2');
    expect({ code, stderr, lines: stdout.split('\n') }).toEqual({
      code: 0,
      stderr: '',
      lines: [
        'bag/bag-model-34000.meta -> bag.pb: repaired 4 of 4 batch norms',
        'slim/model.meta -> slim.pb: repaired 2 of 2 batch norms',
        'untrained/model.meta -> untrained.pb: repaired 1 of 1 batch norm',
        expect.stringMatching(/^ {2}warning: /),
        '3 models: 3 written',
        '',
      ],
    });
    await cli(['freeze', at(BAG.model), '-o', at('one.pb'), '-q']);
    expect(readFileSync(at('bag.pb')).equals(readFileSync(at('one.pb')))).toBe(true);
    await cli(['fold', at(SLIM.model), '-o', at('two.pb'), '-q']);
    expect(readFileSync(at('slim.pb')).equals(readFileSync(at('two.pb')))).toBe(true);
  });

  it('works on several models in one process, too', async () => {
    writeConfig(BAG, { ...BAG, output: 'again.pb' }, SLIM);
    const { code, stdout } = await run('--jobs', '1');
    expect([code, stdout.split('\n').at(-2)]).toEqual([0, '3 models: 3 written']);
  });

  it('leaves out what has not changed', async () => {
    writeConfig(BAG, SLIM);
    await run();
    const second = await run();
    expect(second.stdout.split('\n')).toEqual([
      'bag/bag-model-34000.meta -> bag.pb: unchanged',
      'slim/model.meta -> slim.pb: unchanged',
      '2 models: 2 unchanged',
      '',
    ]);
    // Another option for one of them.
    writeConfig(BAG, { ...SLIM, fold: true });
    expect((await run()).stdout.split('\n').slice(0, 2)).toEqual([
      'bag/bag-model-34000.meta -> bag.pb: unchanged',
      'slim/model.meta -> slim.pb: repaired 2 of 2 batch norms',
    ]);
  });

  it('makes it again when the weights, the choice of checkpoint or the result changed', async () => {
    writeConfig({ model: 'slim', output: 'slim.pb' });
    const line = async () => (await run()).stdout.split('\n')[0];
    expect(await line()).toBe('slim -> slim.pb: repaired 2 of 2 batch norms');
    expect(await line()).toBe('slim -> slim.pb: unchanged');
    // A state file appears: it may name another checkpoint.
    writeFileSync(at('slim/checkpoint'), 'model_checkpoint_path: "model"\n');
    expect(await line()).toBe('slim -> slim.pb: repaired 2 of 2 batch norms');
    // Other weights.
    const data = readFileSync(at('slim/model.data-00000-of-00001'));
    data[8]! ^= 1;
    writeFileSync(at('slim/model.data-00000-of-00001'), data);
    expect(await line()).toBe('slim -> slim.pb: FAILED');
  });

  it('replaces its own results, but no other file', async () => {
    writeConfig(SLIM);
    await run();
    copyFileSync(at('bag/bag-model-34000.meta'), at('slim.pb'));
    const refused = await run();
    expect([refused.code, refused.stdout.split('\n')]).toEqual([
      6,
      [
        'slim/model.meta -> slim.pb: FAILED',
        '  bnfix: slim.pb already exists',
        '    fixes  --force  overwrites it',
        '           -o FILE  chooses another name',
        '1 model: 1 failed',
        '',
      ],
    ]);
    const forced = await run('--force');
    expect([forced.code, forced.stdout.split('\n').at(-2)]).toEqual([0, '1 model: 1 written']);
    expect((await run()).stdout).toContain('unchanged');
  });

  it('has the exit code of the worst, and finishes the others', async () => {
    writeConfig({ model: 'none.meta', output: 'none.pb' }, BAG, UNTRAINED);
    const { code, stdout, stderr } = await run();
    expect([code, stderr]).toEqual([4, '']);
    expect(stdout.split('\n').filter((line) => !line.startsWith(' '))).toEqual([
      'none.meta -> none.pb: FAILED',
      'bag/bag-model-34000.meta -> bag.pb: repaired 4 of 4 batch norms',
      'untrained/model.meta -> untrained.pb: FAILED',
      '3 models: 1 written, 2 failed',
      '',
    ]);
    expect(existsSync(at('none.pb'))).toBe(false);
    // The one that was written is known.
    expect((await run()).stdout).toContain('bag.pb: unchanged');
  });

  it('writes nothing in a dry run', async () => {
    writeConfig(SLIM);
    const { code, stdout } = await run('--dry-run');
    expect([code, stdout.split('\n').at(-2)]).toEqual([0, '1 model: 1 checked']);
    expect(readdirSync(at()).sort()).toEqual(['bag', 'bnfix.config.json', 'slim', 'untrained']);
  });

  it('has a report for machines', async () => {
    writeConfig(SLIM, UNTRAINED, { model: 'bag', output: 'bag.pb' });
    await run();
    const { code, stdout, stderr } = await run('--json');
    const report = JSON.parse(stdout);
    expect(validate(report), JSON.stringify(validate.errors)).toBe(true);
    expect(code).toBe(4);
    expect(stderr).toContain('untrained/model.meta -> untrained.pb: FAILED');
    expect(report.models.map(({ status }: { status: string }) => status)).toEqual(['unchanged', 'failed', 'unchanged']);
    expect(report.models[1].error).toMatchObject({ code: 'statistics', exitCode: 4 });
    expect(report.summary).toEqual({
      models: 3,
      written: 0,
      checked: 0,
      unchanged: 2,
      failed: 1,
      interrupted: 0,
      exitCode: 4,
    });
    const fresh = JSON.parse((await run('--json', '--force', '--dry-run')).stdout);
    expect(validate(fresh), JSON.stringify(validate.errors)).toBe(true);
    expect(fresh.models[0].report.batchNorms).toHaveLength(2);
  });

  it('takes paths from the folder of the config', async () => {
    mkdirSync(at('deeper'));
    writeFileSync(at('deeper/nets.json'), JSON.stringify({ models: [{ model: '../slim', output: 'out.pb' }] }));
    const { code } = await spawnCli(['freeze', '--config', join('deeper', 'nets.json')], { cwd: at() });
    expect(code).toBe(0);
    expect(readdirSync(at('deeper')).sort()).toEqual(['nets.json', 'nets.state.json', 'out.pb']);
  });

  it('makes nothing of a state file that is corrupt', async () => {
    writeConfig(SLIM);
    await run();
    for (const text of ['{', '{"results": {"slim.pb": {"made": 1}}}', '[]', '{"results": 3}']) {
      writeFileSync(at('bnfix.config.state.json'), text);
      const { code, stdout } = await run();
      // Nothing says that the file is its own.
      expect([code, stdout]).toEqual([6, expect.stringContaining('slim.pb already exists')]);
    }
  });

  it('goes on when the process of a model ends', async () => {
    writeConfig(BAG, SLIM);
    const killing = 'process.argv[1].includes("worker") && setTimeout(() => process.abort(), 0)';
    writeFileSync(at('kill.cjs'), killing);
    const { code, stdout } = await spawnCli(['freeze', '--config', '--jobs', '1'], {
      cwd: at(),
      env: { NODE_OPTIONS: `--require "${at('kill.cjs')}"` },
    });
    expect(code).toBe(70);
    expect(
      stdout.match(/FAILED\n {2}bnfix: internal error: the process that worked on it ended \(SIGABRT\)/g),
    ).toHaveLength(2);
    expect(stdout).toContain('2 models: 2 failed');
  });

  it('is stopped by a signal and leaves nothing behind', async () => {
    const models = Array.from({ length: 60 }, (_, i) => ({ ...BAG, output: `out${i}.pb` }));
    writeConfig(...models);
    const { code, stdout } = await spawnCli(['freeze', '--config', '--jobs', '2'], {
      cwd: at(),
      meanwhile: async (kill) => {
        while (!existsSync(at('out3.pb'))) await setTimeout(5);
        kill('SIGTERM');
      },
    });
    expect(code).toBe(130);
    expect(stdout).toMatch(/60 models: \d+ written, \d+ interrupted\n$/);
    expect(readdirSync(at()).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    // What was written is complete, and known.
    const again = await run();
    const written = Number(/(\d+) written/.exec(stdout)![1]);
    expect(again.stdout).toMatch(new RegExp(`60 models: ${60 - written} written, ${written} unchanged\n$`));
  });

  it.each([
    [['--outputs', 'x'], 'bnfix: --outputs cannot be used together with --config'],
    [['model.meta', '--config', 'c.json'], 'bnfix: model.meta cannot be used together with --config'],
    [['--jobs', 'many'], 'bnfix: --jobs takes a number, not many'],
    [['--jobs', '0'], 'bnfix: --jobs takes a number, not 0'],
  ])('%j is refused', async (args, message) => {
    const given = args.includes('--config') ? args : [...args, '--config'];
    const { code, stderr } = await cli(['freeze', ...given]);
    expect([code, stderr.split('\n')[0]]).toEqual([2, message]);
  });

  it('says how to write a config', async () => {
    const { code, stderr } = await run();
    expect([code, stderr]).toEqual([
      3,
      'bnfix: bnfix.config.json not found\n  fix    bnfix init MODEL   (writes one from a model, or from a folder of models)\n',
    ]);
  });
});

describe('results of several files', () => {
  const MODELS = [
    { ...SLIM, output: 'served', format: 'saved_model' },
    { ...SLIM, output: 'fixed.meta' },
    { ...SLIM, output: 'web/model.json' },
  ];

  it('are left out while all of their files are as they were written, and made again when one is gone', async () => {
    writeConfig(...MODELS);
    expect((await run()).code).toBe(0);
    expect((await run()).stdout.split('\n').at(-2)).toBe('3 models: 3 unchanged');
    rmSync(at('served/variables/variables.index'));
    rmSync(at('fixed.meta'));
    expect((await run()).stdout.split('\n').at(-2)).toBe('3 models: 2 written, 1 unchanged');
    expect(existsSync(at('served/variables/variables.index'))).toBe(true);
  });

  it('that somebody changed are not replaced', async () => {
    writeConfig(...MODELS);
    await run();
    writeFileSync(at('served/variables/variables.index'), 'mine');
    rmSync(at('served/saved_model.pb'));
    const { code, stdout } = await run();
    expect([code, stdout.split('\n').at(-2)]).toEqual([6, '3 models: 2 unchanged, 1 failed']);
    expect(readFileSync(at('served/variables/variables.index'), 'utf8')).toBe('mine');
  });
});
