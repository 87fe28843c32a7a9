import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeNpy } from '../../src/cli/data/npy.js';
import { counted } from '../support/run.js';
import { ensureBuilt } from './build.js';
import { schemaFaults } from './schema_faults.js';
import { BAG_MODEL, cli, fixture, spawnCli, temporaryFolder } from './support.js';

const at = temporaryFolder();
const json = async (...args: string[]) => JSON.parse((await cli([...args, '--json'])).stdout);
const SMALL = ['--shape', 'input/image_input=2,8,8,3'];

describe.each([
  ['freeze', 3],
  ['fold', 4],
])('bnfix %s --verify', (command, proofs) => {
  it('proves the result, and writes the same bytes', async () => {
    await cli([command, BAG_MODEL, '-o', at('plain.pb')]);
    const { code, stdout } = await cli([command, BAG_MODEL, '-o', at('out.pb'), '--verify', ...SMALL]);
    expect(code).toBe(0);
    expect(stdout).toContain(`Verified: ${proofs} of ${proofs} proofs passed, 4 batch norms compared.\nWrote `);
    expect(readFileSync(at('out.pb'))).toEqual(readFileSync(at('plain.pb')));
  });

  it('writes nothing that is not proved right: exit code 1, and the batch norm', async () => {
    const args = [command, BAG_MODEL, '-o', at('out.pb'), '--verify', ...SMALL, '--keep', 'conv1/conv1_2'];
    const { code, stdout, stderr } = await cli(args, { env: { COLUMNS: '200' } });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('bnfix: the result is not proved right, ');
    expect(stderr).toContain('nothing was written\n');
    expect(stderr).toContain('conv1/conv1_2/BatchNorm/FusedBatchNorm');
    expect(stderr).toContain('  fix    --keep leaves');
    expect(readdirSync(at())).toEqual([]);
    const report = await json(...args);
    expect(report.written).toBe(null);
    expect(report.verification.passed).toBe(false);
  });

  it.each(['pbtxt', 'tfjs', 'saved_model', 'meta'])('in the format %s', async (format) => {
    const target = ['--format', format, '-o', at('out')];
    expect((await cli([command, BAG_MODEL, ...target, '--verify', ...SMALL, '-q'])).code).toBe(0);
    expect(readdirSync(at()).length).toBeGreaterThan(0);
    const kept = ['--format', format, '-o', at('kept')];
    expect((await cli([command, BAG_MODEL, ...kept, '--verify', ...SMALL, '-q', '--keep', '*'])).code).toBe(1);
    expect(readdirSync(at()).filter((name) => name.includes('kept'))).toEqual([]);
  });

  it('says what --quantize leaves unproved, and why a proof was not made', async () => {
    const args = [command, BAG_MODEL, '-o', at('web'), '--format', 'tfjs', '--quantize', 'float16', '--verify'];
    const { code, stdout } = await cli([...args, '--shape', 'input/image_input=1,8,8,3'], { env: { COLUMNS: '200' } });
    expect(code).toBe(0);
    const note =
      'The proofs are of the graph before --quantize: that its weights are rounded to float16 is not verified.';
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(` Note ${note} `);
    expect(stdout).toContain(
      `Verified: ${proofs - 1} of ${proofs} proofs passed, 4 batch norms compared.\n  Batch independence: not verified: the graph takes one example at a time\nWrote `,
    );
    const report = await json(...args, ...SMALL, '--force');
    expect(report.written.notes).toEqual([note]);
    const plain = await json(command, BAG_MODEL, '-o', at('plain'), '--format', 'tfjs', '--verify', ...SMALL);
    expect(plain.written.notes).toEqual([]);
  });

  it('prints what its schemas describe', async () => {
    const report = await json(command, BAG_MODEL, '--dry-run', '--verify', ...SMALL);
    expect(schemaFaults('report.schema.json')(report)).toEqual([]);
    expect(schemaFaults('verify.schema.json', 'Verification')(report.verification)).toEqual([]);
    expect(report.verification.proofs).toHaveLength(proofs);
  });

  it('takes names and shapes of the result, and data', async () => {
    writeFileSync(at('x.npy'), writeNpy(counted([1, 8, 8, 3])));
    const names = ['--output-names', 'output/image_output=probs', '--input-shape', '1,8,8,3'];
    const { code, stdout } = await cli([
      command,
      BAG_MODEL,
      '-o',
      at('out.pb'),
      '--verify',
      ...names,
      '--input',
      at('x.npy'),
    ]);
    expect(code).toBe(0);
    expect(stdout).toContain('Verified: ');
    const wrong = await cli([
      command,
      BAG_MODEL,
      '-o',
      at('x.npy'),
      '--force',
      '--verify',
      '--input',
      at('x.npy'),
      ...names,
    ]);
    expect(wrong.code).toBe(6);
    expect(wrong.stderr).toContain('x.npy');
  });
});

describe('--verify', () => {
  beforeAll(ensureBuilt, 120_000);

  it.each([
    ['--batch', '3'],
    ['--input', 'x.npy'],
    ['--rtol', '1'],
  ])('%s has no effect without it', async (option, value) => {
    const { code, stderr } = await cli(['freeze', BAG_MODEL, '--dry-run', option, value]);
    expect(code).toBe(2);
    expect(stderr).toContain(`${option} has no effect without --verify`);
  });

  it('refuses what cannot be run, and says what an input lacks', async () => {
    const words = await cli(['freeze', fixture('table_of_words_115/model.meta'), '-o', at('out.pb'), '--verify']);
    expect(words.code).toBe(1);
    expect(words.stderr).toContain('the result cannot be verified: nothing was written\n');
    expect(words.stderr).toContain('lookup tables');
    const open = await cli(['freeze', fixture('outputs_unknown_shapes/model.meta'), '-o', at('out.pb'), '--verify']);
    expect(open.code).toBe(2);
    expect(open.stderr).toContain('--shape Placeholder=4,224,224,3');
    expect(existsSync(at('out.pb'))).toBe(false);
  });

  it('is part of the page', async () => {
    await cli(['freeze', BAG_MODEL, '-o', at('out.pb'), '--verify', ...SMALL, '--html', at('page.html')]);
    expect(readFileSync(at('page.html'), 'utf8')).toContain('Right statistics');
  });

  it('checks each model of a config', async () => {
    const models = [
      { model: BAG_MODEL, output: 'right.pb', shape: { 'input/image_input': '2,8,8,3' } },
      { model: BAG_MODEL, output: 'kept.pb', keep: '*', fold: true },
    ];
    writeFileSync(at('bnfix.config.json'), JSON.stringify({ defaults: { verify: true }, models }));
    const { code, stdout } = await spawnCli(['freeze', '--config', at('bnfix.config.json'), '--jobs', '1']);
    expect(code).toBe(1);
    expect(stdout).toContain('kept.pb: FAILED');
    expect(stdout).toContain('the result is not proved right');
    expect(readdirSync(at()).filter((name) => name.endsWith('.pb'))).toEqual(['right.pb']);
  });
});
