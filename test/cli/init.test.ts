import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ensureBuilt } from './build.js';
import { BAG_MODEL, cli, fixture, spawnCli, temporaryFolder } from './support.js';

const at = temporaryFolder();
const schema = JSON.parse(readFileSync(new URL('../../docs/config.schema.json', import.meta.url), 'utf8'));
const validate = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema);

beforeAll(ensureBuilt, 120_000);

beforeEach(() => {
  cpSync(dirname(BAG_MODEL), at('bag'), { recursive: true });
  cpSync(dirname(fixture('untrained_113/model.meta')), at('untrained'), { recursive: true });
});

describe('bnfix init', () => {
  it('writes a config that freeze runs', async () => {
    const { code, stdout } = await spawnCli(['init', 'bag'], { cwd: at() });
    expect([code, stdout]).toEqual([0, 'Wrote bnfix.config.json (1 model)\nNext  bnfix freeze --config\n']);
    const config = JSON.parse(readFileSync(at('bnfix.config.json'), 'utf8'));
    expect(validate(config)).toBe(true);
    expect(config.models).toEqual([
      { model: 'bag/bag-model-34000.meta', output: 'bag/bag-model-34000.frozen.pb', outputs: ['output/image_output'] },
    ]);
    expect((await spawnCli(['freeze', '--config'], { cwd: at() })).code).toBe(0);
  });

  it('says what is left out and what will be refused', async () => {
    await cli(['freeze', at('bag/bag-model-34000.meta'), '-o', at('bag/done.pb'), '-q']);
    const { code, stdout } = await cli(['init', at(), '-o', at('c.json')]);
    expect(code).toBe(0);
    expect(stdout.replaceAll(`${at()}/`, '').split('\n')).toEqual([
      'Wrote c.json (2 models)',
      '  bag/done.pb is left out: it is frozen, and nothing has to be repaired',
      expect.stringMatching(/^ {2}untrained\/model.meta: the batch norm has moving statistics that were never trained/),
      expect.stringMatching(/^Next {2}bnfix freeze --config /),
      '',
    ]);
  });

  it('gives each model an output of its own', async () => {
    cpSync(at('bag/bag-model-34000.meta'), at('net.meta'));
    cpSync(at('bag/bag-model-34000.meta'), at('net.pbtxt.meta'));
    await cli(['init', at('net.meta'), at('net.pbtxt.meta'), '-o', at('c.json')]);
    const { models } = JSON.parse(readFileSync(at('c.json'), 'utf8'));
    expect(models.map(({ output }: { output: string }) => output)).toEqual(['net.frozen.pb', 'net.frozen-2.pb']);
  });

  it('has its result as JSON', async () => {
    const { stdout } = await cli(['init', at('bag'), '-o', at('c.json'), '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ command: 'init', written: at('c.json'), notes: [], models: [{}] });
  });

  it('overwrites nothing without --force', async () => {
    writeFileSync(at('c.json'), 'mine');
    const refused = await cli(['init', at('bag'), '-o', at('c.json')]);
    expect([refused.code, readFileSync(at('c.json'), 'utf8')]).toEqual([6, 'mine']);
    expect((await cli(['init', at('bag'), '-o', at('c.json'), '--force'])).code).toBe(0);
  });

  it('refuses a folder without models', async () => {
    const nothing = await cli(['init']);
    expect([nothing.code, nothing.stderr.split('\n')[0]]).toEqual([2, 'bnfix: no model given']);
    writeFileSync(at('readme.txt'), 'x');
    const { code, stderr } = await cli(['init', at('readme.txt'), '-o', at('c.json')]);
    expect([code, stderr.split('\n')[0]]).toEqual([3, `bnfix: no model to freeze in ${at('readme.txt')}`]);
  });
});
