import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { options } from '../src/cli/commands/freeze.js';
import { COMMON_OPTIONS } from '../src/cli/commands.js';
import { EXIT_CODES } from '../src/errors.js';
import { BAG_MODEL, cli, temporaryFolder } from './cli/support.js';

const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const read = (path: string) => readFileSync(at(path), 'utf8');

const out = temporaryFolder();

describe('README.md', () => {
  it('names the two commands that do it all', () => {
    expect(read('README.md')).toContain('npm ci && npm run demo');
    expect(read('README.md')).toContain('npm ci && npm test');
  });

  it('shows the report as it is', async () => {
    const { code, stdout } = await cli(['freeze', BAG_MODEL, '-o', out('frozen.pb')]);
    expect(code).toBe(0);
    const folder = BAG_MODEL.slice(0, BAG_MODEL.lastIndexOf('bag-model/'));
    const shown = /```\n(model [^`]*)\n```/.exec(read('README.md'))?.[1];
    expect(stdout.replaceAll(folder, '').replaceAll(out('frozen.pb'), 'frozen.pb').trimEnd()).toBe(shown);
  });

  it('names every option and every exit code', () => {
    const shown = Object.entries({ ...options, ...COMMON_OPTIONS }).filter(([, { hidden }]) => !hidden);
    const names = shown.map(([name, { alias }]) =>
      typeof alias === 'string' && alias.length === 1 ? `-${alias}` : `--${name}`,
    );
    const text = read('README.md');
    expect(names.filter((name) => !new RegExp(`^\\|.*\`${name}\\b`, 'm').test(text))).toEqual([]);
    expect(Object.values(EXIT_CODES).filter((code) => !text.includes(`\n| ${code} |`))).toEqual([]);
  });

  it('has the table of forms that the fixtures make, and so has docs/forms.md', () => {
    const { status, stderr } = spawnSync(process.execPath, [at('scripts/forms_table.mjs'), '--check'], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });
});

describe('package-lock.json', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, Entry> };
  interface Entry {
    readonly resolved?: string;
    readonly optionalDependencies?: Readonly<Record<string, string>>;
  }

  it('holds no download addresses', () => {
    expect(Object.keys(packages).filter((name) => packages[name]!.resolved !== undefined)).toEqual([]);
  });

  it('lists the packages of every platform, or npm ci fails on the others', () => {
    const optional = Object.values(packages).flatMap(({ optionalDependencies = {} }) =>
      Object.keys(optionalDependencies),
    );
    expect(optional.filter((name) => !(`node_modules/${name}` in packages))).toEqual([]);
  });
});
