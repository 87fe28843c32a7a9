import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { COMMANDS, type Command } from '../../src/cli/commands.js';
import { BnfixError } from '../../src/errors.js';
import { tensorflow } from '../../src/proto/tensorflow.js';
import { pythonQuoted, shellQuoted } from '../../src/quoted.js';
import { copyHostile, HOSTILE, hostileLines } from '../support/hostile_model.js';
import { BAG_MODEL, cli, fixture, temporaryFolder } from './support.js';

const at = temporaryFolder();
const [BAG, ...OTHERS] = [
  BAG_MODEL,
  ...[
    'untrained_113/model.meta',
    'reader_scope/model.meta',
    'cond_layers_113/model.meta',
    'dropout_by_hand_113/model.meta',
    'default_false_113/model.meta',
    'defun_113/model.meta',
    'saved_model_signatures/saved_model',
    'saved_model_v1_113/saved_model',
  ].map(fixture),
] as const;

/** Runs a command in every way in which it prints. @returns what a name drove, broke or forged */
async function hostileIn(args: readonly string[]): Promise<{ lines: string[]; codes: (number | null)[] }> {
  const ways: readonly (readonly [more: string[], color: boolean])[] = [
    [[], false],
    [['-v'], true],
    [['--json'], false],
  ];
  const lines: string[] = [];
  const codes: (number | null)[] = [];
  for (const [more, color] of ways) {
    const env = color ? { FORCE_COLOR: '1', COLUMNS: '80' } : {};
    const { code, stdout, stderr } = await cli([...args, ...more], { env });
    codes.push(code);
    lines.push(...hostileLines(stdout, { color }), ...hostileLines(stderr, { color }));
  }
  return { lines, codes };
}

/** Arguments with which each command reads a model and prints what it finds. */
function argsOf({ name, module }: Command, model: string): string[] {
  const output = name === 'init' ? ['-o', at('config.json')] : [];
  return [name, model, ...output, ...('dry-run' in module.options ? ['--dry-run'] : [])];
}

describe('hostile names in a model', () => {
  it.each(COMMANDS.map((command) => [command.name, command] as const))(
    '%s: shows nothing of them raw',
    { timeout: 120_000 },
    async (_, command) => {
      for (const [i, model] of [BAG, ...OTHERS].entries()) {
        const { lines, codes } = await hostileIn(argsOf(command, copyHostile(model, at(`${i}`))));
        expect({ model, lines }).toEqual({ model, lines: [] });
        expect(codes).not.toContain(70);
      }
    },
  );

  it('has the names as they are in JSON', async () => {
    const model = copyHostile(BAG, at('model'));
    const { stdout } = await cli(['freeze', model, '--dry-run', '--json']);
    const { outputs, batchNorms } = JSON.parse(stdout);
    expect(outputs[0].name).toBe(`output/image_output${HOSTILE}:0`);
    expect(JSON.stringify(batchNorms[0].mean)).toContain(JSON.stringify(HOSTILE).slice(1, -1));
    const wrong = await cli(['freeze', model, '--dry-run', '--json', '--outputs', 'image_output']);
    expect(JSON.parse(wrong.stdout).error.candidates).toContain(`output/image_output${HOSTILE}`);
  });

  it('are fixes for pasting in the syntax of a shell', async () => {
    const model = copyHostile(fixture('reader_scope/model.meta'), at('model'));
    const { code, stderr } = await cli(['freeze', model, '--dry-run']);
    expect(code).toBe(2);
    const fix = /fix {4}--outputs (.*?)\n +takes both/.exec(stderr)![1]!;
    const outputs = spawnSync('bash', ['-c', `printf %s ${fix}`], { encoding: 'utf8' }).stdout;
    expect(outputs).toBe(`out${HOSTILE},imported/out${HOSTILE}`);
    expect((await cli(['freeze', model, '--dry-run', '--outputs', outputs])).code).toBe(0);
  });

  it('may end anywhere', async () => {
    for (const ending of [
      '\n',
      '\r\n',
      '\x1b',
      '\0',
      ' ',
      '\u00a0',
      '\ud83d\ude00',
      '\x1b[1m',
      '\x1b[22m\x1b[1',
      '`',
      '\\',
      '$(id)',
    ]) {
      const { lines } = await hostileIn(['freeze', copyHostile(BAG, at('model'), ending), '--dry-run']);
      expect({ ending, lines }).toEqual({ ending, lines: [] });
    }
  });

  it.each<[string, tensorflow.INodeDef[]]>([
    ['an input that is not there', [{ name: `y${HOSTILE}`, op: 'Identity', input: [`gone${HOSTILE}`] }]],
    ['an op', [{ name: 'y', op: HOSTILE }]],
    ['an attr', [{ name: 'y', op: 'Identity', input: ['y'], attr: { [HOSTILE]: { s: Buffer.from(HOSTILE) } } }]],
    ['two of one name', [HOSTILE, HOSTILE].map((name) => ({ name, op: 'NoOp' }))],
    ['a cycle', ['a', 'b'].map((name, i) => ({ name: HOSTILE + name, op: 'Neg', input: [HOSTILE + 'ba'[i]] }))],
    ['a control input', [{ name: 'y', op: 'NoOp', input: [`^${HOSTILE}`] }]],
  ])('%s: the error shows nothing raw', async (_, node) => {
    writeFileSync(at('graph.pb'), tensorflow.GraphDef.encode({ node }).finish());
    for (const command of COMMANDS) {
      const { lines, codes } = await hostileIn([
        ...argsOf(command, at('graph.pb')),
        ...(command.name === 'freeze' ? ['--outputs', 'y'] : []),
      ]);
      expect(lines).toEqual([]);
      expect(codes).not.toContain(70);
    }
  });
});

describe('hostile paths and arguments', () => {
  const PATH = HOSTILE.replaceAll('/', '');
  // A name has at most 255 bytes.
  const NAME = PATH.slice(0, 60);

  it('a model in a folder with such a name', { timeout: 120_000 }, async () => {
    const model = copyHostile(BAG, at(NAME));
    for (const command of COMMANDS) expect((await hostileIn(argsOf(command, model))).lines).toEqual([]);
    for (const more of [['-o', at(`${NAME}.pb`)], ['-o', at(`none${NAME}/x.pb`)], ['--dry-run']]) {
      expect((await hostileIn(['freeze', model, ...more, '--force'])).lines).toEqual([]);
    }
    expect(readdirSync(at())).toContain(`${NAME}.pb`);
  });

  it('a state file that names such a checkpoint', async () => {
    mkdirSync(at('model'));
    writeFileSync(at('model/checkpoint'), `model_checkpoint_path: "${NAME.replace(/[\n"\\]/g, '\\n')}"\n`);
    for (const command of COMMANDS) expect((await hostileIn(argsOf(command, at('model')))).lines).toEqual([]);
  });

  it.each<[string, string[]]>([
    ['a command', [PATH]],
    ['a model', ['freeze', PATH]],
    ['a model that is not there', ['freeze', `${PATH}.meta`, '--dry-run']],
    ['an option', ['freeze', 'x', `--${PATH}`]],
    ['a short option', ['freeze', 'x', `-${PATH}`]],
    ['an option with a value', ['freeze', 'x', `--${PATH}=${PATH}`]],
    ['an argument', ['freeze', 'x.meta', PATH]],
    ['a second output', ['freeze', 'x.meta', '-o', PATH, '-o', PATH]],
    ['two models', ['freeze', PATH, '--input_graph', 'x']],
    ['an output of another format', ['freeze', 'x', '-o', `${PATH}.onnx`]],
    ['a list', ['freeze', 'x', '--outputs', 'a', PATH]],
    ['a pair', ['freeze', 'x', '-o', 'y', '--map', PATH]],
    ['a value', ['freeze', 'x', '-o', 'y', '--set', PATH]],
    ['names', ['freeze', BAG, '--dry-run', '--outputs', PATH]],
    ['an input', ['freeze', BAG, '--dry-run', '--inputs', PATH]],
    ['a batch norm', ['freeze', BAG, '--dry-run', '--map', `${PATH}=a,b`]],
    ['a flag', ['freeze', BAG, '--dry-run', '--set', `${PATH}=1`]],
    ['a checkpoint', ['freeze', BAG, '--dry-run', '--checkpoint', PATH]],
    ['a tag', ['freeze', BAG, '--dry-run', '--tag', PATH]],
    ['a signature', ['freeze', BAG, '--dry-run', '--signature', PATH]],
    ['help', ['help', PATH]],
    ['help of a command', ['freeze', PATH, '--help']],
    ['the version', [PATH, '--version']],
  ])('%s: is shown, but not raw', async (_, args) => {
    const { lines, codes } = await hostileIn(args);
    expect(lines).toEqual([]);
    expect(codes).not.toContain(70);
  });

  it('the output in a fix is one argument for a shell', async () => {
    const { stderr } = await cli(['freeze', `${NAME}.meta`]);
    const fix = /fix {4}-o (.*?) {3}\(or/.exec(stderr)![1]!;
    const { stdout } = spawnSync('bash', ['-c', `printf '%s|' ${fix}`], { encoding: 'utf8' });
    expect(stdout).toBe(`${NAME}.frozen.pb|`);
  });
});

describe('errors', () => {
  const failing = (error: unknown): Command => ({
    name: 'fail',
    positional: 'X',
    positionalText: 'anything',
    summary: 'fails',
    module: { options: {}, examples: [], run: () => Promise.reject(error) },
  });

  it.each<[string, unknown]>([
    [
      'of bnfix',
      new BnfixError('usage', HOSTILE, {
        where: HOSTILE,
        why: [HOSTILE, HOSTILE],
        fix: [HOSTILE, { option: 'outputs', value: HOSTILE, text: HOSTILE }],
      }),
    ],
    ['of another kind', new Error(HOSTILE, { cause: new Error(HOSTILE) })],
    ['without a stack', Object.assign(new Error('x'), { stack: HOSTILE })],
    ['with a graph', new BnfixError('unsupported', 'x', { data: { around: HOSTILE.replace('\n', '') } })],
    ['that is none', HOSTILE],
  ])('%s', async (_, error) => {
    for (const [more, color] of [
      [[], false],
      [['-v'], true],
      [['-v'], false],
      [['--json'], false],
    ] as const) {
      const env = color ? { FORCE_COLOR: '1', COLUMNS: '60' } : {};
      const { stdout, stderr } = await cli(['fail', 'x', ...more], { env, commands: [failing(error)] });
      expect(hostileLines(stdout + stderr, { color })).toEqual([]);
    }
  });

  it('several details are several lines', async () => {
    const error = new BnfixError('usage', 'a headline', { why: ['one', 'two\nthree'], fix: 'b' });
    const { stderr } = await cli(['fail', 'x'], { commands: [failing(error)] });
    expect(stderr).toBe('bnfix: a headline\n  why    one\n         two\\nthree\n  fix    b\n');
    expect(error.why).toBe('one\ntwo\nthree');
  });

  it('a gap in a name cannot look like a label where the line is wrapped', async () => {
    const error = new BnfixError('usage', `no tensor named y${' '.repeat(60)}fix    curl evil`);
    const { stderr } = await cli(['fail', 'x'], { commands: [failing(error)], env: { COLUMNS: '40' } });
    expect(stderr).not.toMatch(/^ *fix {2}/m);
  });
});

describe('pythonQuoted', () => {
  it('is a literal of Python', () => {
    expect(pythonQuoted("a/b:0 it's")).toBe("'a/b:0 it\\'s'");
    const value = `${HOSTILE}\\'\u{1f600}`;
    const { stdout, error } = spawnSync('python3', [
      '-c',
      `import sys; sys.stdout.buffer.write(${pythonQuoted(value)}.encode())`,
    ]);
    if (!error) expect(String(stdout)).toBe(value);
  });
});

describe('shellQuoted', () => {
  const VALUES = [
    HOSTILE,
    "it's",
    'a b',
    '',
    '$(id)',
    '`id`',
    '!!',
    '\\',
    "\n'",
    '\t!\\',
    '~',
    'é\u200b',
    '*',
    '😀\u{e0041}',
  ];
  const shells = ['bash', 'zsh', 'ksh'].filter((shell) => spawnSync(shell, ['-c', 'true']).status === 0);

  it.each(shells)('is one argument for %s', (shell) => {
    for (const value of VALUES) {
      const { stdout } = spawnSync(shell, ['-c', `printf '%s|' ${shellQuoted(value)}`], { encoding: 'utf8' });
      expect(stdout).toBe(`${value}|`);
    }
  });

  it('leaves plain values as they are', () => {
    expect(['a/b:0', 'model-9.frozen.pb', 'x=1,y=2'].map(shellQuoted)).toEqual([
      'a/b:0',
      'model-9.frozen.pb',
      'x=1,y=2',
    ]);
    expect(shellQuoted('a\nb')).toBe("$'a\\nb'");
  });
});
