// Mutants on disk: a folder `model` and what.json with how it is loaded and run.
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFiles } from './run_mutant.mjs';

export function keepMutant(mutant, folder, found = {}) {
  mkdirSync(folder, { recursive: true });
  writeFiles(mutant, join(folder, 'model'));
  const { files: _, ...rest } = mutant;
  writeFileSync(join(folder, 'what.json'), `${JSON.stringify({ ...found, ...rest }, undefined, 1)}\n`);
}

export function readKept(folder) {
  const what = JSON.parse(readFileSync(join(folder, 'what.json'), 'utf8'));
  const root = join(folder, 'model');
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) =>
    statSync(join(root, path)).isFile(),
  );
  return { ...what, files: new Map(paths.map((path) => [path, readFileSync(join(root, path))])) };
}
