// The models that mutants are made of: the fixtures of TensorFlow, in memory.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const FIXTURES = fileURLToPath(new URL('../../../test/fixtures', import.meta.url));

const FOREIGN = fileURLToPath(new URL('../../../test/foreign', import.meta.url));
/** ONNX models, by path. */
export const onnxNames = readdirSync(FOREIGN, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.onnx'))
  .sort();

/** Folders of TensorFlow.js models. */
export const tfjsNames = readdirSync(join(FOREIGN, 'tfjs'))
  .filter((name) => existsSync(join(FOREIGN, 'tfjs', name, 'model.json')))
  .map((name) => `tfjs/${name}`)
  .sort();

/** Larger models make slow mutants, and have nothing that the others lack. */
const MAX_BYTES = 150_000;
const LOAD_OPTIONS = ['checkpoint', 'reference', 'tag'];
const OWN_FILES = new Set(['case.json', 'golden.json']);

/** Names of the fixtures that have a model of their own, in order. */
export function seedNames() {
  return readdirSync(FIXTURES)
    .sort()
    .filter((name) => {
      const one = caseOf(name);
      return one?.model !== undefined && !one.model.startsWith('..') && filesOf(join(FIXTURES, name)).size > 0;
    })
    .filter((name) => sizeOf(filesOf(join(FIXTURES, name))) <= MAX_BYTES);
}

/**
 * A model: `files` by path in its folder, `model` the path to load, `load` and `freeze` the options of its case.
 * Mutators replace entries of `files`, and never change the bytes of one.
 */
export function readSeed(name) {
  if (name.startsWith('tfjs/'))
    return { name, files: filesOf(join(FOREIGN, name)), model: 'model.json', load: {}, freeze: {} };
  if (name.endsWith('.onnx')) {
    const files = new Map([['model.onnx', readFileSync(join(FOREIGN, name))]]);
    return { name, files, model: 'model.onnx', load: {}, freeze: {} };
  }
  const one = caseOf(name);
  const options = Object.entries(one.options ?? {});
  const load = Object.fromEntries(options.filter(([key]) => LOAD_OPTIONS.includes(key)));
  for (const key of ['checkpoint', 'reference']) {
    if (one[key] !== undefined) load[key] = one[key];
    if (load[key]?.startsWith('..')) delete load[key];
  }
  const freeze = {
    outputs: one.outputs,
    ...Object.fromEntries(options.filter(([key]) => !LOAD_OPTIONS.includes(key))),
  };
  return { name, files: filesOf(join(FIXTURES, name)), model: one.model, load, freeze };
}

/** Graphs that scripts/verify/freeze_all.mjs froze, as seeds: names, and a reader of one. */
export function frozenSeeds(folder) {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.pb') && hasGolden(name))
    .sort();
  const read = (name) => {
    const files = new Map([['frozen.pb', readFileSync(join(folder, name))]]);
    const { outputs } = caseOf(name.replace(/\.pb$/, ''));
    return { name, files, model: 'frozen.pb', load: {}, freeze: { outputs } };
  };
  return { seedNames: names, readSeed: read };
}

const hasGolden = (name) => existsSync(join(FIXTURES, name.replace(/\.pb$/, ''), 'golden.json'));

export function sizeOf(files) {
  return [...files.values()].reduce((sum, bytes) => sum + bytes.length, 0);
}

function caseOf(name) {
  try {
    return JSON.parse(readFileSync(join(FIXTURES, name, 'case.json'), 'utf8'));
  } catch {
    return undefined;
  }
}

function filesOf(folder) {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => !OWN_FILES.has(path) && statSync(join(folder, path)).isFile())
    .sort();
  return new Map(paths.map((path) => [path, readFileSync(join(folder, path))]));
}
