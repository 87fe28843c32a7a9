import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { opInfo } from '../../src/ops/registry.js';

/**
 * What ops mean is said in src/ops/ alone. Elsewhere one op may be named where exactly this one is meant; a set, an array,
 * a record, a regular expression or a chain of comparisons would be one more table, which sooner or later differs.
 */

/** Files that have other lists of names that are ops as well. */
const ALLOWED: Readonly<Record<string, string>> = {
  'foreign/onnx/ops.ts': 'the ops of ONNX',
  'run/lower.ts': 'what TensorFlow.js calls ops, and its defaults',
  'run/kernels_batch_norm.ts': 'implements ops for TensorFlow.js',
  'run/kernels_math.ts': 'implements ops for TensorFlow.js',
  'run/kernels_quantize.ts': 'implements ops for TensorFlow.js',
  'run/kernels_shape.ts': 'implements ops for TensorFlow.js',
};

const SRC = fileURLToPath(new URL('../../src', import.meta.url));
const COMMENT = /\/\*[\s\S]*?\*\/|(?<![:'])\/\/.*$/gm;

const isOp = (name: string) => /^_?[A-Z]\w\w/.test(name) && opInfo(name) !== undefined;

/** The lists of op names in a file, as far as their first two names. */
function listsIn(code: string): string[] {
  const pairs = [
    // ['Conv2D', 'Conv3D']
    /'(?<a>\w+)',\s*'(?<b>\w+)'/g,
    // node.op === 'Add' || node.op === 'AddV2'
    /(?<![\w.])(?<of>(?:\w+\??\.)?)op [!=]== '(?<a>\w+)'\s*(?:\|\||&&)\s*\k<of>op [!=]== '(?<b>\w+)'/g,
  ];
  const found = pairs.flatMap((pattern) => [...code.matchAll(pattern)].map(({ groups }) => groups!));
  const lists = found.filter(({ a, b }) => isOp(a!) && isOp(b!)).map(({ a, b }) => `${a}, ${b}`);
  // /^(Mul|RealDiv)$/, /^Switch/
  const patterns = [...code.matchAll(/(?<=[\s(,:=!])\/(?![/*])((?:\\.|[^/\n\\])+)\/[gim]*/g)];
  const named = patterns.map(([text, body]) => ({ text, words: body!.replace(/\\./g, ' ').match(/\w+/g) ?? [] }));
  return [
    ...lists,
    ...recordsIn(code),
    ...named.filter(({ text, words }) => /^\/[\^(]/.test(text) && words.some(isOp)).map(({ text }) => text),
  ];
}

/** Records with two keys after each other that are ops: { Add: ..., Sub: ... }. */
function recordsIn(code: string): string[] {
  const found: string[] = [];
  const lastKeys = new Map<number, string>();
  for (const line of code.split('\n')) {
    const [, space = '', key] = /^( *)(?:(\w+)\??[:(,])?/.exec(line)!;
    for (const depth of lastKeys.keys()) if (depth > space.length) lastKeys.delete(depth);
    if (!key || !isOp(key)) continue;
    const before = lastKeys.get(space.length);
    if (before) found.push(`${before}, ${key}`);
    lastKeys.set(space.length, key);
  }
  return found;
}

it.each(Object.keys(ALLOWED))('%s has such a list', (path) => {
  expect(listsIn(readFileSync(join(SRC, path), 'utf8').replace(COMMENT, ''))).not.toEqual([]);
});

it('no list of op names is outside of src/ops', () => {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .map((path) => path.split(sep).join('/'))
    .filter((path) => path.endsWith('.ts') && !/^(ops|proto)\//.test(path) && !(path in ALLOWED));
  const wrong = files.flatMap((path) => {
    const lists = listsIn(readFileSync(join(SRC, path), 'utf8').replace(COMMENT, ''));
    return lists.length > 0 ? [`${path}: ${lists.join('; ')}`] : [];
  });
  expect(wrong).toEqual([]);
});
