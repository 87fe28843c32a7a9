import { copyFileSync, mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import * as checkable from '../../src/checkable.js';
import { RULES } from '../../src/diagnosis/rules.js';
import { cli, fixture, temporaryFolder } from './support.js';

const at = temporaryFolder();

const AFFECTED = fixture('slim_fused_113/model.meta');
const OK = fixture('group_norm_113/model.meta');
const OK_ONCE = fixture('cond_layers_113/model.meta');
const UNTRAINED = fixture('inference_meta/model.meta');

/** Copies a model with its checkpoint, without other files of its folder. */
function copyModel(meta: string, to: string, suffixes = ['meta', 'index', 'data-00000-of-00001']): string {
  mkdirSync(dirname(to), { recursive: true });
  const prefix = meta.replace(/\.meta$/, '');
  for (const suffix of suffixes) copyFileSync(`${prefix}.${suffix}`, to.replace(/meta$/, suffix));
  return to;
}

/** The first words of each line that is about a model, by path from the temporary folder. */
async function verdicts(...args: readonly string[]): Promise<Record<string, string>> {
  const { stdout } = await cli(['check', ...args, '--rule', 'untrained-statistics=off']);
  const lines = stdout.split('\n').filter((line) => /^\S.*: (ok|AFFECTED|FAILED)/.test(line));
  return Object.fromEntries(
    lines.map((line) => {
      const [, path, word] = /^(.*?): (ok once|ok|AFFECTED|FAILED)/.exec(line)!;
      return [path!.replace(`${at()}/`, ''), word!];
    }),
  );
}

describe('the verdict', () => {
  it('is one line a model, then the command that repairs it, then a summary', async () => {
    const model = copyModel(AFFECTED, at('a b/model.meta'));
    const { code, stdout, stderr } = await cli(['check', model, OK, OK_ONCE]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout.replaceAll(at(), '/tmp').replaceAll(dirname(dirname(OK)), 'fixtures')).toBe(
      [
        '/tmp/a b/model.meta: AFFECTED 2 of 2 batch norms use batch statistics at inference',
        "  bnfix freeze '/tmp/a b/model.meta' -o '/tmp/a b/model.frozen.pb'",
        'fixtures/group_norm_113/model.meta: ok',
        'fixtures/cond_layers_113/model.meta: ok once is_training=false',
        '1 of 3 models is affected, 1 needs its flags set',
        '',
      ].join('\n'),
    );
  });

  it('is about the graph with the tags of --tag, which the command names as well', async () => {
    const model = fixture('saved_model_v1_tags/saved_model');
    expect((await cli(['check', model])).stdout).toContain('saved_model: ok');
    const { code, stdout } = await cli(['check', model, '--tag', 'gpu,train']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/saved_model: AFFECTED 2 of 2 .*\n {2}bnfix freeze \S+ --tag gpu,train -o \S+\n/);
    expect((await cli(['check', model, OK, '--tag', 'nope'])).stdout).toContain('FAILED no graph is tagged nope');
    const idle = await cli(['check', OK, '--tag', 'serve']);
    expect([idle.code, idle.stderr]).toEqual([2, expect.stringContaining('no SavedModel is checked')]);
  });

  it('is about dropouts and statistics in inspect as well', async () => {
    const model = fixture('nan_behind_flag_fused_113/model.meta');
    expect((await cli(['check', model])).stdout).toContain('AFFECTED 1 batch norm with invalid statistics');
    expect((await cli(['inspect', model])).stdout).toContain('AFFECTED: 1 batch norm with invalid statistics');
  });

  it('has every batch norm with -v', async () => {
    const { stdout } = await cli(['check', AFFECTED, '-v']);
    expect(
      stdout.match(/error training-batch-norm: \S+: uses batch statistics at inference; its moving/g),
    ).toHaveLength(2);
  });

  it('is 0 if nothing is affected', async () => {
    const { code, stdout } = await cli(['check', OK, OK_ONCE]);
    expect(code).toBe(0);
    expect(stdout).toContain('\n0 of 2 models are affected, 1 needs its flags set\n');
  });

  it('is quiet about what is ok with -q', async () => {
    const { code, stdout } = await cli(['check', AFFECTED, OK, '-q']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^\S+slim_fused_113\/model.meta: AFFECTED .*\n {2}bnfix freeze .*\n$/);
  });

  it('needs no checkpoint', async () => {
    const model = copyModel(AFFECTED, at('model.meta'), ['meta']);
    const { code, stdout } = await cli(['check', model]);
    expect(code).toBe(1);
    expect(stdout).toContain(`AFFECTED 2 of 2 batch norms`);
    expect(stdout).toContain(`  bnfix freeze '${model}' --checkpoint PREFIX -o '${at('model.frozen.pb')}'\n`);
  });

  it('is given for a checkpoint without its data, with a warning', async () => {
    const model = copyModel(UNTRAINED, at('model.meta'), ['meta', 'index']);
    const { code, stdout } = await cli(['check', model]);
    expect(code).toBe(0);
    expect(stdout).toContain('model.meta: ok, 1 warning\n');
    expect(stdout).toContain(`  warning unreadable-checkpoint: ${at('model.data-00000-of-00001')} is missing`);
    expect((await cli(['check', model, '--rule', 'unreadable-checkpoint=error'])).code).toBe(1);
    expect((await cli(['check', UNTRAINED, '--rule', 'unreadable-checkpoint=error'])).code).toBe(0);
  });

  it.each([
    ['slim_fused_113/model.meta'],
    ['reader_scope/model.meta'],
    ['saved_model_signatures/saved_model'],
    ['default_true_113/model.meta'],
    ['dropout_by_hand_113/model.meta'],
  ])('%s: the command repairs it', async (name) => {
    const { stdout } = await cli(['check', fixture(name)]);
    const [, command] = /^ {2}bnfix (freeze .*)$/m.exec(stdout)!;
    const words = command!.split(' ');
    words[words.indexOf('-o') + 1] = at('repaired.pb');
    expect((await cli(words)).code).toBe(0);
    const { stdout: again, code } = await cli(['check', at('repaired.pb')]);
    expect({ again, code }).toEqual({ again: `${at('repaired.pb')}: ok\n0 of 1 model is affected\n`, code: 0 });
  });
});

describe('levels', () => {
  it('a rule may be off, a warning or an error', async () => {
    const codes = await Promise.all(
      ['off', 'warn', 'error'].map(
        async (level) => (await cli(['check', UNTRAINED, '--rule', `untrained-statistics=${level}`])).code,
      ),
    );
    expect(codes).toEqual([0, 0, 1]);
    expect((await cli(['check', AFFECTED, '--rule', 'training-batch-norm=warn'])).code).toBe(0);
  });

  it('too many warnings fail', async () => {
    expect((await cli(['check', UNTRAINED, '--max-warnings', '1'])).code).toBe(0);
    const { code, stderr } = await cli(['check', UNTRAINED, '--max-warnings', '0']);
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'bnfix: 1 warning, and 0 are allowed\n' });
  });

  it.each([
    [['check'], 'no model given'],
    [['check', OK, '--rule', 'training-batchnorm=off'], '--rule training-batch-norm=off'],
    [['check', OK, '--rule', 'tiny-variance=fatal'], 'the rule tiny-variance cannot be fatal'],
    [['check', OK, '--rule', 'tiny-variance'], 'cannot read --rule tiny-variance'],
    [['check', OK, '--max-warnings', 'none'], '--max-warnings takes a number, not none'],
    [['check', OK, '--format', 'xml'], 'xml'],
  ])('%j: exit 2 before anything is checked', async (args, text) => {
    const { code, stdout, stderr } = await cli(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(text);
  });
});

describe('models that cannot be checked', () => {
  it('do not stop the others: exit 3, 1 if another is affected', async () => {
    const broken = copyModel(OK, at('broken.meta'));
    truncateSync(broken, 1000);
    const { code, stdout } = await cli(['check', broken, at('missing.pb'), OK]);
    expect(code).toBe(3);
    expect(stdout).toMatch(
      /broken.meta: FAILED .*\n[\s\S]*missing.pb: FAILED .* not found\n[\s\S]*group_norm_113\/model.meta: ok\n/,
    );
    expect(stdout).toContain('\n0 of 3 models are affected, 2 could not be checked\n');
    expect((await cli(['check', broken, AFFECTED])).code).toBe(1);
  });

  it('a folder without a model is one', async () => {
    writeFileSync(at('notes.txt'), 'x');
    const { code, stdout } = await cli(['check', at()]);
    expect(code).toBe(3);
    expect(stdout).toContain('FAILED no model in ');
  });

  it('a bug of bnfix in one of them: exit 70, and the others are checked', async () => {
    vi.spyOn(checkable, 'checkFile').mockImplementationOnce(() => Promise.reject(new TypeError('x is undefined')));
    const { code, stdout } = await cli(['check', OK, AFFECTED]);
    vi.restoreAllMocks();
    expect(code).toBe(70);
    expect(stdout).toContain('group_norm_113/model.meta: FAILED TypeError: x is undefined\n');
    expect(stdout).toContain('slim_fused_113/model.meta: AFFECTED');
  });
});

describe('paths', () => {
  beforeEach(() => {
    copyModel(AFFECTED, at('models/a/model.meta'));
    copyModel(OK, at('models/b/ckpt-1.meta'));
    copyModel(OK, at('models/b/ckpt-2.meta'));
    copyFileSync(fixture('frozen_inference_113/frozen.pb'), at('models/frozen.pb'));
  });

  it('a folder is searched: one verdict a model', async () => {
    expect(await verdicts(at('models'))).toEqual({
      'models/frozen.pb': 'ok',
      'models/a/model.meta': 'AFFECTED',
      'models/b/ckpt-1.meta': 'ok',
      'models/b/ckpt-2.meta': 'ok',
    });
  });

  it('a SavedModel is one model, named by its folder', async () => {
    const from = fixture('saved_model_keras_right/saved_model');
    mkdirSync(at('models/export/1/variables'), { recursive: true });
    for (const file of [
      'saved_model.pb',
      'keras_metadata.pb',
      'variables/variables.index',
      'variables/variables.data-00000-of-00001',
    ])
      copyFileSync(join(from, file), at(`models/export/1/${file}`));
    expect(await verdicts(at('models/export'))).toEqual({ 'models/export/1': 'ok' });
    expect(await verdicts(at('models/export/1'))).toEqual({ 'models/export/1': 'ok' });
    expect(await verdicts(at('models/export/1/saved_model.pb'))).toEqual({ 'models/export/1': 'ok' });
  });

  it('hidden folders and packages are left out, but not a checkpoint without a name', async () => {
    for (const folder of ['.git', '.cache', 'node_modules/x']) copyModel(AFFECTED, at(`models/b/${folder}/model.meta`));
    copyModel(OK, at('models/c/.meta'));
    expect(Object.keys(await verdicts(at('models/b'), at('models/c')))).toEqual([
      'models/b/ckpt-1.meta',
      'models/b/ckpt-2.meta',
      'models/c/.meta',
    ]);
  });

  it('links that lead in circles are followed once', async () => {
    symlinkSync('..', at('models/a/up'));
    symlinkSync(at('models'), at('models/b/all'));
    symlinkSync('nowhere', at('models/b/gone.meta'));
    expect(Object.keys(await verdicts(at('models')))).toHaveLength(4);
  });

  it('any file of a model names it, and a model is checked once', async () => {
    const files = ['model.meta', 'model.index', 'model.data-00000-of-00001'].map((name) => at(`models/a/${name}`));
    expect(await verdicts(...files, at('models/a'), at('models/a/model'))).toEqual({
      'models/a/model.meta': 'AFFECTED',
    });
  });

  it.each<[string, string[]]>([
    ['**/*.meta', ['a/model.meta', 'b/ckpt-1.meta', 'b/ckpt-2.meta']],
    ['b/ckpt-[2-9].meta', ['b/ckpt-2.meta']],
    ['{a,b}/*1.meta', ['b/ckpt-1.meta']],
    ['*/', ['a/model.meta', 'b/ckpt-1.meta', 'b/ckpt-2.meta']],
    ['*', ['frozen.pb', 'a/model.meta', 'b/ckpt-1.meta', 'b/ckpt-2.meta']],
    ['b/*.index', ['b/ckpt-1.meta', 'b/ckpt-2.meta']],
  ])('a quoted glob: %s', async (glob, found) => {
    expect(Object.keys(await verdicts(at(`models/${glob}`)))).toEqual(found.map((path) => `models/${path}`));
  });

  it('a file with the name of a glob is that file', async () => {
    copyModel(OK, at('models/m[1].meta'));
    expect(await verdicts(at('models/m[1].meta'))).toEqual({ 'models/m[1].meta': 'ok' });
  });

  it('a glob that matches nothing cannot be checked', async () => {
    const { code, stdout } = await cli(['check', at('models/*.onnx')]);
    expect(code).toBe(3);
    expect(stdout).toContain('FAILED no model matches ');
  });

  it('files with the name of a model that are none are skipped, downloads that failed are not', async () => {
    writeFileSync(at('models/b/Player.meta'), 'fileFormatVersion: 2\nguid: 0\n');
    writeFileSync(at('models/b/label_map.pbtxt'), 'item {\n  id: 1\n}\n');
    writeFileSync(at('models/b/lfs.pb'), 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n');
    const { code, stdout, stderr } = await cli(['check', at('models/b')]);
    expect(code).toBe(3);
    expect(stdout).toMatch(/lfs.pb: FAILED .* is a Git LFS pointer/);
    expect(stderr).toBe(
      `bnfix: skipped 2 files that are no models: ${at('models/b/Player.meta')}, ${at('models/b/label_map.pbtxt')}\n`,
    );
  });

  it('works from a folder, with relative paths', async () => {
    const before = process.cwd();
    process.chdir(at('models'));
    try {
      expect(Object.keys(await verdicts('.', './a'))).toEqual([
        'frozen.pb',
        'a/model.meta',
        'b/ckpt-1.meta',
        'b/ckpt-2.meta',
      ]);
      expect(Object.keys(await verdicts('b/*'))).toEqual(['b/ckpt-1.meta', 'b/ckpt-2.meta']);
    } finally {
      process.chdir(before);
    }
  });
});

describe('docs/check.schema.json', () => {
  const read = (name: string) => JSON.parse(readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8'));
  const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true });
  ajv.addSchema(read('report.schema.json'));
  const validate = ajv.compile(read('check.schema.json'));

  it('describes what --json prints, for models of all kinds', async () => {
    const names = [
      'slim_fused_113',
      'stale_attrs',
      'frozen_flag_dropout',
      'random_crop',
      'py_func_115',
      'weights_not_saved',
    ];
    writeFileSync(at('broken.pb'), '');
    const paths = [
      ...names,
      'quantize_113',
      'reads_batch_before_113',
      'saved_model_flag_input',
      'default_true_113',
      'latent_noise',
    ].map(fixture);
    const { stdout } = await cli(['check', ...paths, at('broken.pb'), '--json', '--max-warnings', '3']);
    validate(JSON.parse(stdout));
    expect(validate.errors).toBeNull();
    expect(JSON.parse(stdout).models).toHaveLength(12);
  });

  it('describes errors', async () => {
    const { stdout } = await cli(['check', '--json']);
    expect(validate(JSON.parse(stdout))).toBe(true);
  });
});

describe('docs/check.md', () => {
  const text = readFileSync(new URL('../../docs/check.md', import.meta.url), 'utf8');

  it('has a section on every rule, with its level', () => {
    const sections = [...text.matchAll(/^### ([\w-]+)\n\nDefault: (\w+)\. /gm)].map(
      ([, id, level]) => `${id} ${level}`,
    );
    expect(sections).toEqual(RULES.map(({ id, level }) => `${id} ${level}`));
  });
});
