// Hooks of Node's module loader: TypeScript is transpiled when it is imported, and `vitest` is collect.mjs.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const COLLECT = new URL('collect.mjs', import.meta.url).href;
const CACHE = new URL('../../coverage/transpiled/', import.meta.url);
const COMPILER_OPTIONS = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, sourceMap: false };

export async function resolve(specifier, context, next) {
  if (specifier === 'vitest' && context.parentURL !== COLLECT) return { url: COLLECT, shortCircuit: true };
  if (specifier.startsWith('.') && specifier.endsWith('.js')) {
    const url = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL);
    if (existsSync(fileURLToPath(url))) return { url: url.href, shortCircuit: true };
  }
  return next(specifier, context);
}

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const text = readFileSync(fileURLToPath(url), 'utf8');
  return { format: 'module', source: transpiled(text), shortCircuit: true };
}

/** The text as JavaScript; kept in a file, since the compiler takes longer than most tests. */
function transpiled(text) {
  const file = new URL(`${createHash('sha256').update(text).digest('hex')}.js`, CACHE);
  if (existsSync(file)) return readFileSync(file, 'utf8');
  const { outputText } = ts.transpileModule(text, { compilerOptions: COMPILER_OPTIONS });
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(file, outputText);
  return outputText;
}
