import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import type { Command } from '../../src/cli/commands.js';
import { jsonLines } from '../../src/cli/json.js';
import { jsonReport } from '../../src/cli/report.js';
import { BnfixError, EXIT_CODES } from '../../src/errors.js';
import { fold } from '../../src/freezing/fold.js';
import { freeze } from '../../src/freezing/freeze.js';
import type { FreezeReport } from '../../src/freezing/report.js';
import { load } from '../../src/load.js';
import type { LoadedModel } from '../../src/load_sources.js';
import { allCases, type Case } from '../support/cases.js';
import { BAG_MODEL, cli, fixture, temporaryFolder } from './support.js';

const at = temporaryFolder();
const schema = JSON.parse(readFileSync(new URL('../../docs/report.schema.json', import.meta.url), 'utf8'));
const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true });
const validate = ajv.compile(schema);

/** What is wrong with JSON text: a line for each place that does not fit the schema. */
function faults(json: string): string[] {
  const value = JSON.parse(json);
  if (validate(value)) return [];
  const form = 'error' in value ? 'ErrorReport' : value.command === 'fold' ? 'FoldReport' : 'FreezeReport';
  const ofForm = ajv.getSchema(`${schema.$id}#/$defs/${form}`)!;
  ofForm(value);
  return (ofForm.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

/** The JSON that the CLI prints of an error. */
async function jsonOfError(error: unknown): Promise<string> {
  const run = () => Promise.reject(error);
  const fail: Command = {
    name: 'fail',
    positional: 'X',
    positionalText: 'anything',
    summary: 'fails',
    module: { options: {}, examples: [], run },
  };
  return (await cli(['fail', '--json'], { commands: [fail] })).stdout;
}

/** The JSON that the CLI prints of a case, frozen or folded, or refused. */
async function jsonOf(one: Pick<Case, 'model' | 'load'>, command: string, make: (model: LoadedModel) => FreezeReport) {
  const model = await load(one.model, one.load);
  try {
    const report = make(model);
    const sha256 = '0'.repeat(64);
    const read = [{ path: one.model, bytes: 1, sha256 }];
    const files = [{ path: 'out.pb', bytes: report.after.bytes, sha256 }];
    const written = { path: 'out.pb', format: 'pb', files, verified: false, notes: [], read } as const;
    return jsonLines(jsonReport(report, written, command)).join('\n');
  } catch (error) {
    return await jsonOfError(error);
  } finally {
    model.close();
  }
}

/** What is wrong with the JSON of each of some cases. */
async function faultsOf(
  cases: readonly Case[],
  command: string,
  make: (one: Case, model: LoadedModel) => FreezeReport,
) {
  const wrong: string[] = [];
  for (const one of cases) {
    const json = await jsonOf(one, command, (model) => make(one, model));
    wrong.push(...faults(json).map((fault) => `${one.name}: ${fault}`));
  }
  return wrong;
}

const isRefused = ({ expect: wanted }: Case) => typeof wanted === 'object';

// Every property and case of a union is compared with the types in test/source_types.test.ts: some fixtures will do here.
describe('docs/report.schema.json', () => {
  it('describes what freeze prints, and the error of every fixture that is refused', async () => {
    const cases = allCases().filter((one, i) => i % 5 === 0 || isRefused(one));
    expect(await faultsOf(cases, 'freeze', (one, model) => freeze(model, one.freeze).report)).toEqual([]);
  });

  it('describes what fold prints', async () => {
    const cases = allCases().filter((one, i) => i % 5 === 1 && !isRefused(one));
    expect(await faultsOf(cases, 'fold', (one, model) => fold(model, one.freeze).report)).toEqual([]);
  });

  it('describes what the command prints', async () => {
    const commands = [
      ['freeze', BAG_MODEL, '-o', at('out.pb')],
      ['freeze', BAG_MODEL, '-o', at('out.pbtxt')],
      ['freeze', BAG_MODEL, '--dry-run', '--keep', '*', '--set', 'keep_prob=1'],
      ['fold', BAG_MODEL, '--dry-run'],
      ['fold', fixture('../fold/fixtures/shared_kernel_115/model.pb'), '--outputs', 'out,other', '--dry-run'],
    ];
    for (const args of commands) {
      const { stdout } = await cli([...args, '--json']);
      expect([...args, ...faults(stdout)]).toEqual(args);
    }
  });

  it.each<[string, number, string[]]>([
    ['an option that does not exist', EXIT_CODES.usage, ['freeze', 'x', '--ouput', 'y']],
    ['outputs that are not clear', EXIT_CODES.usage, ['freeze', fixture('reader_scope/model.meta'), '--dry-run']],
    [
      'a choice of signatures',
      EXIT_CODES.usage,
      ['freeze', fixture('saved_model_signatures/saved_model'), '--dry-run'],
    ],
    ['a missing file', EXIT_CODES.unreadable, ['freeze', 'no such model', '--dry-run']],
    ['untrained statistics', EXIT_CODES.statistics, ['freeze', fixture('untrained_113/model.meta'), '--dry-run']],
    [
      'an output behind an update',
      EXIT_CODES.unsupported,
      ['freeze', BAG_MODEL, '--dry-run', '--outputs', 'conv2/BatchNorm/AssignMovingAvg'],
    ],
    ['a missing folder', EXIT_CODES.unwritable, ['freeze', BAG_MODEL, '-o', 'no such folder/out.pb']],
  ])('describes the error of %s', async (_, code, args) => {
    const run = await cli([...args, '--json']);
    expect({ code: run.code, faults: faults(run.stdout) }).toEqual({ code, faults: [] });
  });

  it('describes a bug and an interruption', async () => {
    expect(faults(await jsonOfError(new TypeError('x is undefined')))).toEqual([]);
    expect(faults(await jsonOfError(new BnfixError('interrupted', 'interrupted')))).toEqual([]);
  });

  it('is part of the package', () => {
    const { exports, files } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(exports['./report.schema.json']).toBe('./docs/report.schema.json');
    expect(files).toContain('docs/report.schema.json');
  });

  it('knows every error code', () => {
    const { code, exitCode } = schema.$defs.ErrorReport.properties.error.properties;
    expect(Object.fromEntries(code.enum.map((each: string, i: number) => [each, exitCode.enum[i]]))).toEqual(
      EXIT_CODES,
    );
  });

  it('refuses what it does not describe', () => {
    const json = JSON.stringify({ error: { code: 'usage', exitCode: 2, message: 'x', more: 1 } });
    expect(faults(json)).toContain('/error must NOT have additional properties');
  });
});

describe('an error that carries data', () => {
  it('says which variable has no value, and why', async () => {
    const { stdout } = await cli(['freeze', fixture('weights_not_saved/model.meta'), '--dry-run', '--json']);
    const { data } = JSON.parse(stdout).error;
    expect(data.problems).toContainEqual({
      code: 'no_value',
      variable: expect.any(String),
      value: {
        message: expect.any(String),
        where: expect.any(String),
        why: expect.any(String),
        fixes: expect.any(Array),
      },
    });
  });
});
