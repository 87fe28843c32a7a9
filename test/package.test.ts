import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS } from '../src/cli/commands.js';
import { EXIT_CODES } from '../src/errors.js';
import { ensureBuilt } from './cli/build.js';

const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const read = (path: string) => readFileSync(at(path), 'utf8');
const manifest = JSON.parse(read('package.json')) as Readonly<Record<string, Readonly<Record<string, string>>>>;

/** What `npm install bnfix` installs. */
const installed = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });

beforeAll(ensureBuilt);

describe('the installed package', () => {
  it('is small: neither TensorFlow.js nor yargs is installed, since the bundles contain them', () => {
    expect(installed.sort()).toEqual(['@node-rs/crc32', '@petamoriken/float16', 'long', 'protobufjs', 'snappyjs']);
  });

  it('imports nothing else', () => {
    const files = readdirSync(at('dist'), { recursive: true, encoding: 'utf8' });
    const imported = files
      .filter((file) => /\.(c?js|d\.ts)$/.test(file))
      .flatMap((file) => {
        // Examples in comments import bnfix.
        const code = readFileSync(join(at('dist'), file), 'utf8').replace(/^\s*\*.*$/gm, '');
        const pattern =
          /\b(?:import|export)\b[\w\s{},*$]*?\bfrom\s*['"]([^'"]+)['"]|\b(?:require|import)\s*\(\s*['"`]([^'"`]+)['"`]\)/g;
        return [...code.matchAll(pattern)].map((match) => match[1] ?? match[2]!).filter((name) => /^[@a-z]/.test(name));
      });
    const packages = imported
      // What `bnfix next` shows imports TensorFlow.js.
      .filter((name) => !/^(node:|bnfix|@tensorflow\/tfjs$)/.test(name))
      .map((name) => /^(@[^/]+\/)?[^/]+/.exec(name)![0]);
    const builtin = [
      'fs',
      'path',
      'util',
      'url',
      'module',
      'assert',
      'crypto',
      'process',
      'worker_threads',
      'stream',
      'readline',
      'tty',
      'async_hooks',
    ];
    // In what `bnfix next` prints.
    builtin.push('@tensorflow/tfjs');
    expect([...new Set(packages)].filter((name) => !installed.includes(name) && !builtin.includes(name))).toEqual([]);
  });

  it('has a man page with every command and option', () => {
    const page = at(manifest.man as unknown as string);
    const text = readFileSync(page, 'utf8').replaceAll('\\-', '-');
    for (const { name, positional, module } of COMMANDS) {
      expect(text).toContain(`.SS "bnfix ${name} ${positional} [options]"\n`);
      const shown = Object.entries(module.options).filter(([, { hidden }]) => !hidden);
      for (const [option] of shown) expect(text).toMatch(new RegExp(`^\\\\fB.*--${option}\\\\fR`, 'm'));
    }
    for (const code of Object.values(EXIT_CODES)) expect(text).toContain(`\n.TP\n${code}\n`);
    const { stdout, error } = spawnSync('mandoc', ['-Tlint', page], { encoding: 'utf8' });
    if (!error) expect(stdout).toBe('');
  });

  it('has the licence of every package that the bundles contain', () => {
    const [head, ...parts] = read('dist/THIRD_PARTY_LICENSES.txt').split(`\n${'-'.repeat(80)}\n\n`);
    expect(head).toContain('cli/*.cjs');
    const names = parts.map((part) => /^(\S+) \d/.exec(part)?.[1]);
    expect(names).toEqual(
      expect.arrayContaining(['yargs', 'cliui', 'picocolors', 'protobufjs', 'long', 'seedrandom', '@inquirer/core']),
    );
    expect(names).toEqual(
      expect.arrayContaining(['core', 'converter', 'backend-cpu'].map((name) => `@tensorflow/tfjs-${name}`)),
    );
    for (const part of parts) expect(part).toMatch(/copyright/i);
    expect(existsSync(at('LICENSE'))).toBe(true);
  });
});

describe('package-lock.json', () => {
  interface Entry {
    readonly dev?: boolean;
    readonly integrity?: string;
    readonly hasInstallScript?: boolean;
  }
  const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, Entry> };
  const production = Object.entries(packages).filter(([name, { dev }]) => name !== '' && !dev);

  it('has the checksum of every package that is installed with bnfix', () => {
    expect(production.length).toBeGreaterThan(4);
    expect(production.filter(([, { integrity }]) => !/^sha512-[\w+/]{86}==$/.test(integrity ?? ''))).toEqual([]);
  });

  it('has no package with an install script among them', () => {
    expect(production.filter(([, { hasInstallScript }]) => hasInstallScript)).toEqual([]);
  });
});
