import { readFileSync } from 'node:fs';
import { dirname, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const src = fileURLToPath(new URL('../../src', import.meta.url));
const STATIC = /^(?:import|export)\s+(?!type\b)(?:[^'"]*?\bfrom\s+)?'([^']+)'/gm;
const LAZY = /\b(?:import|require)\('([^']+)'\)/g;

/** Files (below src/) and packages that a file needs, itself included. */
function needs(start: string, patterns: readonly RegExp[]): { files: string[]; packages: string[] } {
  const files = new Set([resolve(src, start)]);
  const packages = new Set<string>();
  for (const file of files) {
    if (file.includes(`${sep}proto${sep}`)) continue;
    const text = readFileSync(file, 'utf8');
    for (const [, name] of patterns.flatMap((pattern) => [...text.matchAll(pattern)])) {
      // What the build makes.
      if (name === './assets.js' || name === './wasm_binary.js') continue;
      if (name!.startsWith('.')) files.add(resolve(dirname(file), name!.replace(/\.js$/, '.ts')));
      else if (!name!.startsWith('node:')) packages.add(name!);
    }
  }
  return {
    files: [...files].map((file) => relative(src, file).replaceAll(sep, '/')).sort(),
    packages: [...packages].sort(),
  };
}

it('starts the process with main.ts alone', () => {
  const { files, packages } = needs('cli/main.ts', [STATIC]);
  expect(packages).toEqual([]);
  expect(files).toEqual(['cli/main.ts']);
});

it('starts the CLI with yargs and the table of commands alone', () => {
  const { files, packages } = needs('cli/index.ts', [STATIC]);
  expect(packages).toEqual(['yargs']);
  expect(files).toContain('cli/commands/freeze.ts');
  expect(files.filter((file) => !file.startsWith('cli/'))).toEqual([
    'did_you_mean.ts',
    'errors.ts',
    'formats/destination.ts',
    'freezing/target_names.ts',
    'printable.ts',
    'quoted.ts',
    'using/step.ts',
  ]);
  expect(files.filter((file) => /run_(?!request)|write_result|report|show_error/.test(file))).toEqual([]);
});

it('shows the help of freeze without the library', () => {
  const { files, packages } = needs('cli/commands/freeze.ts', [STATIC]);
  expect(packages).toEqual([]);
  expect(files.filter((file) => !file.startsWith('cli/'))).toEqual([
    'errors.ts',
    'formats/destination.ts',
    'freezing/target_names.ts',
    'printable.ts',
    'quoted.ts',
  ]);
});

it('loads the question about outputs only to ask it', () => {
  for (const start of ['cli/run_freeze.ts', 'cli/run_fold.ts']) {
    expect(needs(start, [STATIC]).packages).not.toContain('@inquirer/checkbox');
    expect(needs(start, [STATIC, LAZY]).packages).toContain('@inquirer/checkbox');
  }
});

it('never loads tfjs, tables or pictures to freeze without --verify and --html', () => {
  const { files, packages } = needs('cli/run_freeze.ts', [STATIC]);
  expect(files).toContain('freezing/freeze.ts');
  expect(packages).toContain('protobufjs/minimal.js');
  expect(packages.filter((name) => /tensorflow|table|viz/.test(name))).toEqual([]);
});

it('reads process.argv, and sets the exit code, in main.ts alone', () => {
  const files = ['cli/main.ts', 'cli/index.ts'].flatMap((start) => needs(start, [STATIC, LAZY]).files);
  const users = files.filter((file) => /process\.(argv|exit)|console\./.test(sourceOf(file)));
  expect(users).toEqual(['cli/main.ts']);
});

function sourceOf(file: string): string {
  return file.includes('proto/') ? '' : readFileSync(resolve(src, file), 'utf8');
}
