// Bundles the CLI: the 100 modules that a command needs, which Node would find, read, link and compile one by one, become one file
// that is compiled already.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const shim = (name) => fileURLToPath(new URL(`bundle/${name}.mjs`, import.meta.url));

/** Left to Node: large, rarely needed, or native. */
const EXTERNAL = /^(@tensorflow\/|@node-rs\/)/;

/**
 * Writes cli.cjs, whose modules run when they are imported, as in src/, and its code cache.
 * @param folder - is to be dist/cli: what the code finds beside itself (../proto, ../../package.json) is found from there.
 *   code_cache.js is there.
 */
export async function bundleCli(folder) {
  const bundle = await rolldown({
    cwd: root,
    input: 'src/cli/index.ts',
    platform: 'node',
    external: EXTERNAL,
    resolve: { alias: { 'string-width': shim('string_width'), assert: shim('assert') } },
    // What yargs' "extends" looks files up with; nothing extends anything here.
    transform: { define: { 'import.meta.resolve': 'require.resolve' } },
  });
  const file = join(folder, 'cli.cjs');
  try {
    await bundle.write({
      file,
      format: 'cjs',
      // Names stay, for the stack of an internal error.
      minify: { mangle: false, compress: true },
      comments: false,
      codeSplitting: false,
    });
  } finally {
    await bundle.close();
  }
  const { writeCache } = await import(pathToFileURL(join(folder, 'code_cache.js')).href);
  await writeCache(file, useCli);
}

/** Runs each command on a small model. */
async function useCli({ run, Terminal }) {
  const model = join(root, 'examples/bag-model/bag-model-34000.meta');
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = new Terminal({ stdout: nowhere, stderr: nowhere, env: {} });
  const output = mkdtempSync(join(tmpdir(), 'bnfix-build-'));
  try {
    for (const command of ['freeze', 'fold']) {
      const code = await run([command, model, '-o', join(output, `${command}.pb`)], terminal);
      if (code !== 0) throw new Error(`${command} of ${model} exits with ${code}`);
    }
  } finally {
    rmSync(output, { recursive: true, force: true });
  }
}
