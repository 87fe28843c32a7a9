import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Command } from '../../src/cli/commands.js';
import { BnfixError } from '../../src/errors.js';
import { BAG_MODEL, cli, fixture, temporaryFolder } from './support.js';

const at = temporaryFolder();
const PREFIX = BAG_MODEL.replace(/\.meta$/, '');
const DATA = '.data-00000-of-00001';

/** A copy of the bag model that may be corrupt. */
function copyModel(): string {
  for (const end of ['.meta', '.index', DATA]) copyFileSync(`${PREFIX}${end}`, at(`model${end}`));
  return at('model.meta');
}

it('a very long name does not make a column of the fixes as wide', async () => {
  const long = `${'n'.repeat(300)}.pb`;
  const { code, stderr } = await cli(['freeze', 'x', long]);
  expect(code).toBe(2);
  expect(stderr).toContain(`  fixes  -o ${long}\n           writes there\n`);
  expect(stderr).not.toMatch(/ {20}/);
});

describe('usage errors: exit 2', () => {
  it.each<[string, string[], string]>([
    ['a command with a typo', ['freez', 'x'], 'bnfix: unknown command freez\n  fix    bnfix freeze x\n'],
    ['a command with a typo, and options', ['foold', 'x', '-o', 'my y.pb'], "fix    bnfix fold x -o 'my y.pb'\n"],
    ['a model in place of a command', ['x.meta'], 'bnfix: no output file given\n  where  -o\n  fix    -o x.frozen.pb'],
    [
      'neither a model nor a command',
      ['abcdef'],
      '  fixes  bnfix freeze abcdef\n         commands: check, inspect, freeze, ',
    ],
    ['an option with a typo', ['freeze', 'x', '--ouput=y'], 'unknown option --ouput\n  fix    did you mean --output'],
    ['an option far from any', ['freeze', 'x', '--frobnicate'], 'bnfix freeze --help lists them'],
    ['two options that do not exist', ['freeze', 'x', '--foo', '--bar'], 'unknown options --foo, --bar\n'],
    [
      'the beginning of an option',
      ['freeze', 'x', '--out', 'y'],
      'fix    did you mean --output, --outputs, --output-names?\n',
    ],
    ['a short option of other programs', ['freeze', 'x', '-f'], 'fix    did you mean --force?\n'],
    ['names with spaces', ['freeze', 'x', '--outputs', 'a', 'b'], 'fix    --outputs a,b\n'],
    ['both commands', ['freeze', 'fold', 'x.meta'], 'fix    bnfix fold x.meta\n'],
    ['a command of another program', ['convert', 'x.meta', '-o', 'y.pb'], '  fixes  bnfix freeze x.meta -o y.pb\n'],
    ['help of a command with a typo', ['help', 'freez'], '  fix    bnfix freeze --help\n'],
    ['help of what is no command', ['nothing', '-h'], '  fixes  bnfix --help\n'],
    ['stdin', ['freeze', '-', '-o', 'y.pb'], 'a model cannot be read from stdin\n'],
    [
      'an output as a flag',
      ['freeze', BAG_MODEL, '--dry-run', '--set', 'output/image_output=1'],
      'is an output of the',
    ],
    ['an option of fold', ['freeze', 'x', '--duplicate-weights'], 'fix    --duplicate-weights is an option of fold\n'],
    ['a file to write without -o', ['freeze', 'x', 'out.pb'], '  fixes  -o out.pb            writes there\n'],
    ['a checkpoint without its option', ['freeze', 'x', 'm.ckpt-9'], 'fix    --checkpoint m.ckpt-9  takes the weights'],
    ['a model without a command, options first', ['--no-color', '-v', 'x.meta'], 'no output file given'],
    ['an option that no command knows', ['--jsn'], 'unknown option --jsn\n  fix    did you mean --json?'],
    ['two models', ['freeze', 'a', 'b', '-o', 'c'], 'unexpected argument b'],
    ['two models behind --', ['freeze', '-o', 'c', '--', 'a', 'b'], 'unexpected argument b'],
    ['no value', ['freeze', 'x', '--outputs'], '--outputs needs a value'],
    ['two outputs', ['freeze', 'x', '-o', 'a.pb', '-o', 'b.pb'], '--output is given 2 times'],
    ['no model', ['freeze', '-o', 'a.pb'], 'no model given'],
    ['no output', ['freeze', 'dir/model-9.meta'], 'fix    -o model-9.frozen.pb '],
    ['no output of a frozen model', ['freeze', 'frozen.pb'], 'fix    -o frozen.fixed.pb '],
    ['no output of a folder', ['freeze', '.'], 'fix    -o frozen.pb '],
    [
      'a format that the program does not read',
      ['freeze', 'x', '-o', 'web', '--format', 'tfjs', '--target', 'opencv'],
      'bnfix: a result for opencv cannot have the format tfjs\n',
    ],
    [
      'a name that chooses such a format',
      ['calibrate', 'x', '--data', 'y', '-o', 'web/model.json', '--target', 'onnx'],
      '-o frozen.pb   for onnx\n',
    ],
    ['another format', ['freeze', 'x', '-o', 'net.onnx'], 'bnfix does not write .onnx files'],
    ['half a --map', ['freeze', 'x', '-o', 'a', '--map', 'bn=,var'], '--map BATCH_NORM=MEAN,VARIANCE'],
    ['a --map twice', ['freeze', 'x', '-o', 'a', '--map', 'b=m,v', '--map', 'b=m,v'], '--map names b twice'],
    ['a --set without a value', ['freeze', 'x', '-o', 'a', '--set', 'keep_prob'], 'cannot read --set keep_prob'],
    [
      'an output that is not there',
      ['freeze', BAG_MODEL, '--dry-run', '--outputs', 'output/image_outptu'],
      'fix    --outputs output/image_output\n',
    ],
  ])('%s', async (_, args, text) => {
    const { code, stdout, stderr } = await cli(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(text);
  });

  it('shows the help where there is no command', async () => {
    const { code, stdout, stderr } = await cli([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/\n {2}freeze +repair the batch norms/);
  });

  it('lists candidates, one to a line, where the outputs are not clear', async () => {
    const { code, stderr } = await cli(['freeze', fixture('reader_scope/model.meta'), '--dry-run']);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      / {2}why {4}candidates, best first:\n {9}\S+ +Identity float32 \[\?,5,5,3\] {2}the net ends here\n {9}/,
    );
    expect(stderr).toContain('  fix    --outputs out,imported/out  takes both\n');
  });
});

describe('unreadable input: exit 3', () => {
  const freeze = (model: string, ...more: string[]) => cli(['freeze', model, '-o', at('out.pb'), ...more]);

  it('there is no such model', async () => {
    const { code, stderr } = await freeze(at('model.meta'));
    expect(code).toBe(3);
    expect(stderr).toContain(`${at('model.meta')} not found`);
  });

  it('a part of it is truncated', async () => {
    const model = copyModel();
    truncateSync(at(`model${DATA}`), 1000);
    const { code, stderr } = await freeze(model);
    expect(code).toBe(3);
    expect(stderr).toContain(`model${DATA}`);
    expect(existsSync(at('out.pb'))).toBe(false);
  });

  it('a weight is corrupt: it is found while writing, or in a dry run, and nothing is left', async () => {
    const model = copyModel();
    const bytes = readFileSync(at(`model${DATA}`));
    for (let i = 0; i < bytes.length; i += 64) bytes[i]! ^= 1;
    writeFileSync(at(`model${DATA}`), bytes);
    for (const more of [[], ['--dry-run'], ['--allow-untrained']]) {
      const { code, stderr } = await freeze(model, ...more);
      expect(code).toBe(3);
      expect(stderr).toContain('checksum');
    }
    expect(readdirSync(at()).sort()).toEqual([`model${DATA}`, 'model.index', 'model.meta']);
  });

  it('it is something else', async () => {
    writeFileSync(at('page.pb'), '<!DOCTYPE html><html></html>');
    writeFileSync(at('lfs.meta'), 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n');
    expect(await freeze(at('page.pb'))).toMatchObject({ code: 3, stderr: expect.stringContaining('is a web page') });
    expect(await freeze(at('lfs.meta'))).toMatchObject({ code: 3, stderr: expect.stringContaining('LFS') });
  });
});

describe('a model that is not there', () => {
  const refusal = async (path: string) => (await cli(['freeze', path, '--dry-run'])).stderr;

  it('a SavedModel without a graph is corrupt', async () => {
    mkdirSync(at('empty'));
    writeFileSync(at('empty/saved_model.pb'), Uint8Array.from([8, 1]));
    const { code, stderr } = await cli(['freeze', at('empty'), '-o', at('out.pb')]);
    expect(code).toBe(3);
    expect(stderr).toContain('  why    it holds 0 graphs\n  fix    export the SavedModel again\n');
  });

  it('names models in the same folder, with the folder', async () => {
    copyModel();
    writeFileSync(at('notes.txt'), 'text');
    expect(await refusal(at('other.meta'))).toBe(
      `bnfix: ${at('other.meta')} not found\n  fix    models here: ${at('model.meta')}\n`,
    );
    expect(await refusal(at('modle.meta'))).toContain(`did you mean ${at('model.meta')}`);
    expect(await refusal(at('*.meta'))).toContain(`the shell did not expand the pattern`);
    expect(await refusal(at('*.meta'))).toContain(`fix    ${at('model.meta')}\n`);
    expect(await refusal(at('*.pb'))).toContain(`fix    models here: ${at('model.meta')}\n`);
    expect(await refusal(`${at('model.meta')} `)).toContain(`fix    ${at('model.meta')}\n`);
    expect(await refusal(`'${at('model.meta')}'`)).toContain(`fix    ${at('model.meta')}\n`);
  });

  it('says that a folder is empty, has no model, or has one below', async () => {
    mkdirSync(at('a/b/c'), { recursive: true });
    expect(await refusal(at('a/b/c'))).toContain(`${at('a/b/c')} is empty\n`);
    writeFileSync(at('a/b/c/notes.txt'), 'text');
    expect(await refusal(at('a/b/c'))).toContain('it has no .meta, .pb or saved_model.pb; it contains: notes.txt\n');
    writeFileSync(at('a/b/c/saved_model.pb'), '');
    expect(await refusal(at('a/b'))).toContain(`no model in ${at('a/b')}, but ${at('a/b/c')} has one\n`);
    expect(await refusal(at('a/x/c/m.meta'))).toContain(
      `folder ${at('a/x')} not found\n  fix    did you mean ${at('a/b')}?`,
    );
  });

  it('may be a URL, or a path of another system', async () => {
    expect(await refusal('https://example.com/m.meta')).toContain('bnfix: https://example.com/m.meta is a URL\n');
    expect(await refusal('file:///tmp/m.meta')).toContain('fix    /tmp/m.meta\n');
    expect(await refusal('~/no such model.meta')).toContain('the shell did not expand ~');
    copyModel();
    const backslashes = at('model.meta').replaceAll('/', '\\');
    if (process.platform !== 'win32') expect(await refusal(backslashes)).toContain(`fix    ${at('model.meta')}\n`);
  });

  it('asks where a folder and a file have the same name', async () => {
    copyModel();
    mkdirSync(at('model'));
    expect((await cli(['freeze', at('model'), '--dry-run'])).code).toBe(0);
    writeFileSync(at('model/saved_model.pb'), '');
    const { code, stderr } = await cli(['freeze', at('model'), '--dry-run']);
    expect(code).toBe(2);
    expect(stderr).toContain(`fix    name one: ${at('model/')}, ${at('model.meta')}\n`);
    expect((await cli(['freeze', at('model.meta'), '--dry-run'])).code).toBe(0);
  });
});

describe('a checkpoint that is not there', () => {
  it('exit 3, with the names looked for and what was found', async () => {
    const model = copyModel();
    rmSync(at('model.index'));
    const { code, stderr } = await cli(['freeze', model, '--dry-run']);
    expect(code).toBe(3);
    expect(stderr).toBe(
      `bnfix: no checkpoint found for ${model}\n` +
        '  why    the values of 21 variables are needed\n' +
        `         looked for ${at('model.index')}, ${at(`model${DATA}`)}\n` +
        `         found ${at(`model${DATA}`)}, but not ${at('model.index')}\n` +
        `  fixes  copy ${at('model.index')} from where the model was saved\n` +
        '         --checkpoint PREFIX  names it: the path without .index and .data-...\n',
    );
    rmSync(at(`model${DATA}`));
    copyFileSync(`${PREFIX}.index`, at('a.index'));
    copyFileSync(`${PREFIX}.index`, at('b.index'));
    const others = await cli(['freeze', model, '--dry-run', '--json']);
    expect(others.code).toBe(3);
    expect(JSON.parse(others.stdout).error.candidates).toEqual([at('a'), at('b')]);
  });

  it('says how many variables match', async () => {
    const other = fixture('untrained_113/model');
    const { stderr } = await cli(['freeze', BAG_MODEL, '--checkpoint', other, '--dry-run']);
    expect(stderr).toMatch(/ is not a checkpoint of this graph: it has values for 0 of its \d+ variables\n/);
  });
});

describe('names that are not in the graph', () => {
  it('a placeholder is found by the last part of its name', async () => {
    const model = fixture('phase_train_113/model.meta');
    const refused = async (set: string) => (await cli(['freeze', model, '--dry-run', '--set', set])).stderr;
    expect(await refused('net/phase_tran=false')).toContain('fix    scalar placeholders of this graph: phase_train\n');
    expect(await refused('phase_tran=false')).toContain('fix    --set phase_train=false\n');
    const none = await cli(['freeze', BAG_MODEL, '--dry-run', '--set', 'keep_prob=1']);
    expect(none.stderr).toContain('this graph has no scalar placeholder');
  });

  it('variables of the right size are proposed, and a swapped pair is recognised', async () => {
    const [mean, variance] = ['conv2/BatchNorm/moving_mean', 'conv2/BatchNorm/moving_variance'];
    const fixed = `fix    --map conv2/BatchNorm/FusedBatchNorm=${mean},${variance}`;
    const refused = async (pair: string) =>
      (await cli(['freeze', BAG_MODEL, '--dry-run', '--map', `conv2/BatchNorm=${pair}`])).stderr;
    expect(await refused('a/mean,a/var')).toContain(fixed);
    const swapped = await refused(`${variance},${mean}`);
    expect(swapped).toContain(`${mean} has negative values and cannot be the variance of conv2/BatchNorm: swapped?\n`);
    expect(swapped).toContain(fixed);
    expect(await refused(`${mean},decode/up1/BatchNorm/moving_variance`)).toMatch(
      /: they differ in size\n(.*\n)* .* has the right size\n/,
    );
    expect(await refused('x')).toContain('is a batch norm, which needs two variables\n');
  });
});

describe('what cannot be trusted', () => {
  it('exit 4 for untrained statistics, unless they are allowed', async () => {
    const model = fixture('untrained_113/model.meta');
    const { code, stderr } = await cli(['freeze', model, '-o', at('out.pb')]);
    expect(code).toBe(4);
    expect(stderr).toMatch(
      / {2}fixes {2}--checkpoint PREFIX .*\n {9}--allow-untrained .*\n {9}bnfix calibrate .*\n.*\n {9}--keep /,
    );
    expect(stderr).toContain('has moving statistics that were never trained (mean 0, variance 1)\n');
    expect(readdirSync(at())).toEqual([]);
    expect((await cli(['freeze', model, '-o', at('out.pb'), '--allow-untrained'])).code).toBe(0);
  });

  it('exit 5 for a form that is not supported', async () => {
    const outputs = ['--outputs', 'conv2/BatchNorm/AssignMovingAvg'];
    const { code, stderr } = await cli(['freeze', BAG_MODEL, '-o', at('out.pb'), ...outputs]);
    expect(code).toBe(5);
    expect(stderr).toContain('feeds an output');
    expect(stderr).not.toContain('AssignSub(');
    const verbose = await cli(['freeze', BAG_MODEL, '-o', at('out.pb'), ...outputs, '-v']);
    expect(verbose.stderr).toContain('nodes, around conv2/BatchNorm/AssignMovingAvg\n');
    expect(verbose.stderr).toContain('AssignSub(conv2/BatchNorm/moving_mean');
  });
});

describe('what cannot be written: exit 6', () => {
  it('a file that is there, unless --force', async () => {
    writeFileSync(at('out.pb'), 'old');
    const { code, stderr } = await cli(['freeze', BAG_MODEL, '-o', at('out.pb')]);
    expect(code).toBe(6);
    expect(stderr).toContain('  fixes  --force  overwrites it\n         -o FILE  chooses another name\n');
    expect(readFileSync(at('out.pb'), 'utf8')).toBe('old');
    expect((await cli(['freeze', BAG_MODEL, '-o', at('out.pb'), '--force'])).code).toBe(0);
    expect(readdirSync(at())).toEqual(['out.pb']);
  });

  it('is reported before the model is read', async () => {
    expect((await cli(['freeze', at('no model'), '-o', at('none/out.pb')])).code).toBe(6);
  });

  it('an input, even with --force and by another name', async () => {
    const model = copyModel();
    symlinkSync(`model${DATA}`, at('link.pb'));
    mkdirSync(at('folder.pb'));
    for (const name of ['model.meta', `model${DATA}`, 'link.pb']) {
      // Its own extension is no promise of another format here.
      if (name.endsWith('.meta')) continue;
      const { code, stderr } = await cli(['freeze', model, '-o', at(name), '--force']);
      expect(code).toBe(6);
      expect(stderr).toContain('is one of the input files');
    }
    expect((await cli(['freeze', model, '-o', at('folder.pb'), '--force'])).code).toBe(6);
    expect(readFileSync(at(`model${DATA}`)).equals(readFileSync(`${PREFIX}${DATA}`))).toBe(true);
  });
});

describe('errors as JSON', () => {
  it('on stdout, and for people on stderr', async () => {
    const { code, stdout, stderr } = await cli(['freeze', at('x'), '-o', at('out.pb'), '--json']);
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toEqual({
      error: {
        code: 'unreadable',
        exitCode: 3,
        message: `${at('x')} not found`,
        where: at('x'),
        why: expect.any(String),
        fix: null,
        option: null,
        candidates: expect.any(Array),
        data: null,
      },
    });
    expect(stderr).toContain(`bnfix: ${at('x')} not found`);
  });

  it('of the command line too', async () => {
    const { error } = JSON.parse((await cli(['freeze', 'x', '--ouput', '--json'])).stdout);
    expect(error).toMatchObject({ code: 'usage', exitCode: 2, where: null });
  });

  it('on stderr where the graph goes to stdout', async () => {
    const { stdout, stderr } = await cli(['freeze', at('x'), '-o', '-', '--json']);
    expect(stdout).toBe('');
    expect(JSON.parse(stderr).error.code).toBe('unreadable');
  });
});

describe('a command that fails in another way', () => {
  const failing = (error: unknown): Command[] => [
    {
      name: 'fail',
      positional: 'X',
      positionalText: 'anything',
      summary: 'fails',
      module: { options: {}, examples: [], run: () => Promise.reject(error) },
    },
  ];

  it('exit 70: our bug, how to report it, and the stack with -v', async () => {
    const commands = failing(new TypeError('x is undefined', { cause: new Error('the cause') }));
    const { code, stderr } = await cli(['fail'], { commands });
    expect(code).toBe(70);
    expect(stderr).toBe(
      'bnfix: internal error: x is undefined\n' +
        '  why    this is a bug in bnfix, not in your model\n' +
        '  fix    please report it with the output of the same command plus -v\n',
    );
    const verbose = await cli(['fail', '-v'], { commands });
    expect(verbose.stderr).toMatch(/TypeError: x is undefined\n {4}at /);
    expect(verbose.stderr).toContain('caused by Error: the cause');
  });

  it('exit 130 when it was interrupted', async () => {
    const { code, stderr } = await cli(['fail'], { commands: failing(new BnfixError('interrupted', 'interrupted')) });
    expect({ code, stderr }).toEqual({ code: 130, stderr: 'bnfix: interrupted\n' });
  });
});

describe('models of other programs', () => {
  it.each(['inspect', 'run', 'verify', 'freeze', 'fold'])('%s says which commands read them', async (command) => {
    await cli(['freeze', BAG_MODEL, '-o', at('web'), '--format', 'tfjs', '-q']);
    const more = command === 'freeze' || command === 'fold' ? ['-o', at('x.pb')] : [];
    const file = at('web/model.json');
    const fixes =
      '  fixes  name the .meta or SavedModel that it was converted from\n' +
      `         bnfix check '${file}'  tells whether it is affected\n` +
      `         bnfix next '${file}'  shows how to load it\n`;
    for (const path of [at('web'), file]) {
      const { code, stderr } = await cli([command, path, ...more], { env: { COLUMNS: '300' } });
      expect([code, stderr]).toEqual([3, `bnfix: ${file} is a TensorFlow.js model, already converted\n${fixes}`]);
    }
  });

  it('names an ONNX file in a folder, and what reads it', async () => {
    mkdirSync(at('onnx'));
    copyFileSync(fixture('../foreign/converted/rnn_flag.onnx'), at('onnx/net.onnx'));
    const { code, stderr } = await cli(['inspect', at('onnx')], { env: { COLUMNS: '300' } });
    expect(code).toBe(3);
    expect(stderr).toContain(`${at('onnx/net.onnx')} is an ONNX model, already converted\n`);
    expect(stderr).toContain(`bnfix check '${at('onnx/net.onnx')}'  tells whether`);
  });
});

describe('help', () => {
  it('lists exit code 1 only where a command has it', async () => {
    const line = async (command: string) => /\n {2}1 +(.*)\n/.exec((await cli([command, '--help'])).stdout)?.[1];
    expect(await line('check')).toBe('a model is affected');
    expect(await line('verify')).toBe('a proof failed, or none could be made');
    expect(await line('freeze')).toMatch(/^with --verify: /);
    for (const command of ['run', 'inspect', 'next', 'calibrate', 'init', 'completion'])
      expect([command, await line(command)]).toEqual([command, undefined]);
  });

  it('shows commands, options, examples and exit codes on stdout', async () => {
    const all = await cli(['--help']);
    expect(all.code).toBe(0);
    expect(all.stdout).toMatch(/\n {2}freeze +repair the batch norms/);
    const { code, stdout } = await cli(['freeze', '-h']);
    expect(code).toBe(0);
    for (const text of [
      '-o, --output',
      '--allow-untrained',
      'Examples\n',
      'bnfix freeze model.meta -o out.pb',
      '\n  130  interr',
    ]) {
      expect(stdout).toContain(text);
    }
    const { stdout: version } = await cli(['--version']);
    expect(version).toMatch(/^\d+\.\d+\.\d+\n$/);
    for (const spelling of ['-V', 'version']) expect((await cli([spelling])).stdout).toBe(version);
    expect((await cli(['help', 'freeze'])).stdout).toBe((await cli(['freeze', '--help'])).stdout);
    expect((await cli(['help'])).stdout).toBe(all.stdout);
  });
});
