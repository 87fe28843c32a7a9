import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.js';
import { cli, temporaryFolder } from './support.js';

const at = temporaryFolder();
const has = (shell: string) => spawnSync(shell, ['-c', 'true']).status === 0;

async function scriptFile(shell: string): Promise<string> {
  const { code, stdout } = await cli(['completion', shell]);
  expect(code).toBe(0);
  writeFileSync(at(shell), stdout);
  mkdirSync(at('folder'), { recursive: true });
  writeFileSync(at('folder/model.meta'), '');
  return at(shell);
}

const NAMES = COMMANDS.map(({ name }) => name);

describe.runIf(has('bash'))('the script for bash', () => {
  async function completed(...words: string[]): Promise<string[]> {
    const script = await scriptFile('bash');
    const line = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _bnfix bnfix "\${@: -1}" "\${@: -2:1}"; echo "\${COMPREPLY[*]}"`;
    return execFileSync('bash', ['-c', line, 'bash', script, ...words], { encoding: 'utf8' })
      .trim()
      .split(' ');
  }

  it('knows commands, options and their values', async () => {
    expect(await completed('bnfix', '')).toEqual(NAMES);
    expect(await completed('bnfix', 'fre')).toEqual(['freeze']);
    expect(await completed('bnfix', 'freeze', '--out')).toEqual(['--output', '--outputs', '--output-names']);
    expect(await completed('bnfix', 'freeze', 'm.meta', '--dup')).toEqual(['']);
    expect(await completed('bnfix', 'fold', 'm.meta', '--dup')).toEqual(['--duplicate-weights']);
    expect(await completed('bnfix', 'completion', '')).toEqual(['bash', 'zsh', 'fish']);
  });

  it('leaves files to bash', async () => {
    expect(await completed('bnfix', 'freeze', '')).toEqual(['']);
    expect(await completed('bnfix', 'freeze', '-o', '')).toEqual(['']);
  });
});

describe.runIf(has('fish'))('the script for fish', () => {
  async function completed(line: string): Promise<string[]> {
    const script = await scriptFile('fish');
    const command = `source '${script}'; cd '${at('folder')}'; complete -C '${line}'`;
    const text = execFileSync('fish', ['--no-config', '-c', command], {
      encoding: 'utf8',
      env: { ...process.env, HOME: at() },
    });
    return text.split('\n').map((each) => each.split('\t')[0]!);
  }

  it('knows commands, options, their values and files', async () => {
    expect(await completed('bnfix fre')).toContain('freeze');
    expect(await completed('bnfix freeze --out')).toEqual(expect.arrayContaining(['--output', '--outputs']));
    expect(await completed('bnfix freeze --dup')).not.toContain('--duplicate-weights');
    expect(await completed('bnfix freeze ')).toContain('model.meta');
    expect(await completed('bnfix freeze -o m')).toContain('model.meta');
    expect(await completed('bnfix freeze --outputs ')).not.toContain('model.meta');
    expect(await completed('bnfix completion ')).toEqual(expect.arrayContaining(['bash', 'zsh', 'fish']));
  });
});

describe.runIf(has('zsh'))('the script for zsh', () => {
  /** What a terminal shows after Tab: completion needs the line editor of zsh, and that a terminal. */
  async function shown(line: string): Promise<string> {
    const script = await scriptFile('zsh');
    writeFileSync(
      at('drive.zsh'),
      `zmodload zsh/zpty
      zpty -b shell "zsh -f -i"
      type() { zpty -w shell "$1"; }
      type "PS1='> '; LISTMAX=1000; cd '${at('folder')}'; autoload -Uz compinit; compinit -u -d '${at('dump')}'; source '${script}'; print re''ady"
      local text= part
      while zpty -r shell part; do text+=$part; [[ $text == *ready* ]] && break; done
      zpty -w -n shell $'${line}\\t\\t'
      for i in {1..40}; do sleep 0.05; while zpty -rt shell part; do print -rn -- $part; done; done
      zpty -d shell`,
    );
    const text = execFileSync('zsh', ['-f', at('drive.zsh')], {
      encoding: 'utf8',
      env: { ...process.env, HOME: at(), TERM: 'dumb' },
    });
    return stripVTControlCharacters(text.slice(text.lastIndexOf('ready'))).replace(/\p{Cc}/gu, '');
  }

  it('knows commands, options, their values and files', { timeout: 60_000 }, async () => {
    expect(await shown('bnfix fre')).toContain('bnfix freeze ');
    expect(await shown('bnfix freeze --out')).toContain('tensors to keep as outputs');
    expect(await shown('bnfix freeze ')).toContain('model.meta');
    expect(await shown('bnfix completion z')).toContain('zsh');
  });
});

describe('bnfix completion', () => {
  it('takes the shell from the environment', async () => {
    const { stdout } = await cli(['completion'], { env: { SHELL: '/usr/bin/fish' } });
    expect(stdout).toBe((await cli(['completion', 'fish'])).stdout);
  });

  it('names the shells that it knows', async () => {
    for (const args of [['completion'], ['completion', 'tcsh']]) {
      const { code, stderr } = await cli(args);
      expect(code).toBe(2);
      expect(stderr).toContain('bnfix completion bash\n');
    }
  });
});
