// cspell:ignore outpts
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../src/cli/batch/config.js';
import { configSchema } from '../../../src/cli/batch/config_schema.js';
import { entryKeys } from '../../../src/cli/batch/entry_keys.js';
import { fold } from '../../../src/cli/commands/fold.js';
import { freeze } from '../../../src/cli/commands/freeze.js';
import { BnfixError } from '../../../src/errors.js';
import { failure } from '../../support/failure.js';
import { temporaryFolder } from '../support.js';

const at = temporaryFolder();
const OPTIONS = { freeze: freeze.options, fold: fold.options };

function read(config: unknown, command: 'freeze' | 'fold' = 'freeze') {
  writeFileSync(at('c.json'), typeof config === 'string' ? config : JSON.stringify(config));
  return readConfig(at('c.json'), command, OPTIONS).entries;
}

/** The error for a config, without the folder. */
function errorOf(config: unknown): string {
  const error = failure(() => read(config));
  const text = [error.code, error.message, error.why, error.fix].filter((line) => line !== undefined).join(' | ');
  return text.replaceAll(at(), '').replace(/(not valid JSON \|).*/, '$1 ...');
}

const A = { model: 'a.meta', output: 'a.pb' };

describe('a config', () => {
  it('has the options of a model as arguments', () => {
    const model = {
      ...A,
      checkpoint: 'ckpt/model-90',
      outputs: ['x', 'y:1'],
      set: { is_training: false, keep_prob: 1, 'scope/flag': 'true' },
      map: { 'conv/bn': ['mean', 'variance'], other: 'average' },
      keep: 'a*',
      allowUntrained: true,
      ema: false,
      verifyWritten: true,
    };
    expect(read({ models: [model] })).toEqual([
      {
        command: 'freeze',
        model: 'a.meta',
        output: 'a.pb',
        target: 'a.pb',
        checkpoint: 'ckpt/model-90',
        argv: [
          '--checkpoint=ckpt/model-90',
          '--outputs=x',
          '--outputs=y:1',
          '--set=is_training=false',
          '--set=keep_prob=1',
          '--set=scope/flag=true',
          '--map=conv/bn=mean,variance',
          '--map=other=average',
          '--keep=a*',
          '--allow-untrained',
          '--verify-written',
        ],
      },
    ]);
  });

  it('has defaults, which a model overrides', () => {
    const models = [A, { ...A, output: 'b.pb', ema: false, fold: false }];
    const entries = read({ $schema: 'x', defaults: { ema: true, fold: true, sync: true }, models });
    expect(entries.map(({ command, argv }) => [command, argv])).toEqual([
      ['fold', ['--ema', '--sync']],
      ['freeze', ['--sync']],
    ]);
  });

  it('is run by the command that is called, unless a model says otherwise', () => {
    const models = [A, { ...A, output: 'b.pb', fold: true }, { ...A, output: 'c.pb', fold: false }];
    expect(read({ models }, 'freeze').map(({ command }) => command)).toEqual(['freeze', 'fold', 'freeze']);
    expect(read({ models }, 'fold').map(({ command }) => command)).toEqual(['fold', 'fold', 'freeze']);
  });

  it('may begin with a byte order mark', () => {
    expect(read(`\uFEFF{"models": [{"model": "a", "output": "b"}]}`)).toHaveLength(1);
  });

  it.each([
    ['[]', 'usage | /c.json has to be an object: { "models": [...] } | it is []'],
    ['{', 'usage | /c.json is not valid JSON | ...'],
    [{ model: [] }, 'usage | /c.json has the unknown key model | did you mean models?'],
    [{ models: {} }, 'usage | models has to be a list with at least one model | it is {}'],
    [{ models: [] }, 'usage | models has to be a list with at least one model | it is []'],
    [{ models: ['a'] }, 'usage | models[0] has to be an object: { "model": "a.meta", "output": "a.pb" } | it is "a"'],
    [{ models: [{ output: 'a' }] }, 'usage | models[0].model has to be a path | it is missing'],
    [{ models: [{ model: 'a' }] }, 'usage | models[0].output has to be a path | it is missing'],
    [{ models: [{ model: 'a', output: '-' }] }, 'usage | models[0].output has to be a path | it is "-"'],
    [{ models: [A, { ...A, outpts: ['x'] }] }, 'usage | models[1] has the unknown key outpts | did you mean outputs?'],
    [{ models: [{ ...A, 'allow-untrained': true }] }, /unknown key allow-untrained \| did you mean allowUntrained\?/],
    [{ models: [{ ...A, config: 'x' }] }, /unknown key config \| known keys: .*allowUntrained/],
    [{ models: [{ ...A, duplicateWeights: true }] }, /models\[0\] has the unknown key duplicateWeights/],
    [{ models: [{ ...A, ema: 'yes' }] }, 'usage | models[0].ema has to be true or false | it is "yes"'],
    [{ models: [{ ...A, outputs: [1] }] }, /^usage \| models\[0\]\.outputs has to be a string or a list of strings/],
    [{ models: [{ ...A, outputs: [] }] }, /^usage \| models\[0\]\.outputs has to be a string or a list of strings/],
    [{ models: [{ ...A, tag: ['x'] }] }, 'usage | models[0].tag has to be a string | it is ["x"]'],
    [
      { models: [{ ...A, set: { flag: null } }] },
      'usage | models[0].set.flag has to be a value, or a list of values | it is null',
    ],
    [
      { defaults: { output: 'x' }, models: [A] },
      'usage | defaults cannot have a model or an output | move it into "models"',
    ],
    [{ defaults: { x: 1 }, models: [A] }, /models\[0\] has the unknown key x/],
    [
      { models: [A, { model: 'b', output: './a.pb' }] },
      'usage | models[0] and models[1] have the same output | give each model an output of its own',
    ],
    [
      {
        models: [
          { ...A, output: 'out/a.meta' },
          { ...A, output: 'out/a', format: 'meta' },
        ],
      },
      'usage | models[0] and models[1] have the same output | give each model an output of its own',
    ],
    [
      {
        models: [
          { ...A, output: 'web/', format: 'tfjs' },
          { ...A, output: 'web/model.json', fold: true },
        ],
      },
      'usage | models[0] and models[1] have the same output | give each model an output of its own',
    ],
    [
      { models: [A, { model: 'a.pb', output: 'b.pb' }] },
      'usage | models[1] reads what models[0] writes | use two configs, one after the other',
    ],
  ])('%j is refused', (config, message) => {
    expect(errorOf(config)).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
  });

  it('that is missing can be written by init', () => {
    const error = failure(() => readConfig(at('none.json'), 'freeze', OPTIONS));
    expect([error.code, error.message.replace(at(), ''), error.fix]).toEqual([
      'unreadable',
      '/none.json not found',
      'bnfix init MODEL   (writes one from a model, or from a folder of models)',
    ]);
    mkdirSync(at('folder'));
    expect(failure(() => readConfig(at('folder'), 'freeze', OPTIONS)).message).toContain('cannot read');
  });
});

describe('docs/config.schema.json', () => {
  const schema = configSchema(fold.options);

  it('is the schema of the options', async () => {
    await expect(`${JSON.stringify(schema, null, 2)}\n`).toMatchFileSnapshot('../../../docs/config.schema.json');
  });

  it('has every option of a model', () => {
    const keys = [...entryKeys(fold.options).keys()];
    expect(keys).toEqual(expect.arrayContaining(['outputs', 'allowUntrained', 'duplicateWeights', 'verifyWritten']));
    expect(keys).not.toEqual(expect.arrayContaining(['config']));
    const { $defs } = JSON.parse(readFileSync(new URL('../../../docs/config.schema.json', import.meta.url), 'utf8'));
    expect(Object.keys($defs.Model.properties).sort()).toEqual([...keys, 'fold', 'model', 'output'].sort());
  });

  it('agrees with what is read', () => {
    const validate = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema);
    const values = [true, 'x', 1, ['a', 'b'], [], { a: true }, { a: ['x', 'y'] }, { a: {} }, null];
    const differing: unknown[] = [];
    for (const key of entryKeys(fold.options).keys()) {
      for (const value of values) {
        const config = { models: [{ ...A, fold: true, [key]: value }] };
        if (validate(config) !== isRead(config)) differing.push([key, value]);
      }
    }
    expect(differing).toEqual([]);
  });
});

function isRead(config: unknown): boolean {
  try {
    read(config);
    return true;
  } catch (error) {
    if (error instanceof BnfixError && error.code === 'usage') return false;
    throw error;
  }
}
