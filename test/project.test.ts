import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { fold } from '../src/cli/commands/fold.js';
import { COMMON_OPTIONS } from '../src/cli/commands.js';
import { EXIT_CODES } from '../src/errors.js';
import { TARGETS } from '../src/using/step.js';
import { ensureBuilt } from './cli/build.js';
import { BAG_MODEL, cli, temporaryFolder } from './cli/support.js';

const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const read = (path: string) => readFileSync(at(path), 'utf8');

const out = temporaryFolder();

describe('README.md', () => {
  it('names the two commands that do it all', () => {
    expect(read('README.md')).toContain('npm ci && npm run demo');
    expect(read('README.md')).toContain('npm ci && npm test');
  });

  it('shows what check prints, as it is', async () => {
    const shown = /```\n(examples\/[^`]*affected)\n```/.exec(read('README.md'))?.[1];
    const { code, stdout } = await cli(['check', at('examples')]);
    expect(code).toBe(1);
    expect(stdout.replaceAll(at(''), '').trimEnd()).toBe(shown);
  });

  it('names every target of next', () => {
    expect(TARGETS.filter((target) => !read('README.md').includes(`\`${target}\``))).toEqual([]);
  });

  it('shows the report as it is', async () => {
    const { code, stdout } = await cli(['freeze', BAG_MODEL, '-o', out('frozen.pb')]);
    expect(code).toBe(0);
    const shown = /```\n(examples\/[^`]*frozen\.pb)\n```/.exec(read('README.md'))?.[1];
    const same = (text = '') => text.replace(/ in \d+\.\d s/, '').trimEnd();
    expect(
      same(
        stdout
          .replaceAll(at(''), '')
          .replaceAll(`'${out('frozen.pb')}'`, 'frozen.pb')
          .replaceAll(out('frozen.pb'), 'frozen.pb'),
      ),
    ).toBe(same(shown));
  });

  it('has a command and a library example that work in a clone', async () => {
    const text = read('README.md');
    expect(text).toContain('npx bnfix freeze examples/bag-model/bag-model-34000.meta -o frozen.pb\n');

    await ensureBuilt();
    mkdirSync(out('node_modules'));
    symlinkSync(at(''), out('node_modules/bnfix'), 'junction');
    symlinkSync(at('examples'), out('examples'), 'junction');
    writeFileSync(out('example.mjs'), /```js\n([^`]*)```/.exec(text)![1]!);
    const { status, stdout, stderr } = spawnSync(process.execPath, ['example.mjs'], { cwd: out(), encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toContain('repaired');
    expect(readFileSync(out('frozen.pb')).length).toBeGreaterThan(30_000);
  });

  it('names every option and every exit code', () => {
    const shown = Object.entries({ ...fold.options, ...COMMON_OPTIONS }).filter(([, { hidden }]) => !hidden);
    const names = shown.map(([name, { alias }]) =>
      typeof alias === 'string' && alias.length === 1 ? `-${alias}` : `--${name}`,
    );
    const text = read('README.md');
    expect(names.filter((name) => !new RegExp(`^\\|.*\`${name}\\b`, 'm').test(text))).toEqual([]);
    expect(Object.values(EXIT_CODES).filter((code) => !text.includes(`\n| ${code} |`))).toEqual([]);
  });
});

describe('npm run demo', () => {
  it('proves the repair, and draws the committed picture', async () => {
    await ensureBuilt();
    const picture = out('demo.png');
    const { status, stdout, stderr } = spawnSync(process.execPath, [at('examples/demo.mjs'), picture], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toContain('Right: within');
    expect(stdout).toMatch(/saved graph changes by +85 %\n.*bnfix wrote by +0\.0000\d+ %/);
    expect(readFileSync(picture).equals(readFileSync(at('docs/demo.png')))).toBe(true);
    expect(read('README.md')).toContain('](docs/demo.png)');
  });
});

describe('docs/forms.md', () => {
  it('has every fixture', () => {
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
