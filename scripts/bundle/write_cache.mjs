// Writes the code cache of the bundled CLI: node write_cache.mjs DIST_CLI. Each command runs once, on a small model.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath, pathToFileURL } from 'node:url';

const [folder] = process.argv.slice(2);
const model = fileURLToPath(new URL('../../examples/bag-model/bag-model-34000.meta', import.meta.url));
const { writeCache } = await import(pathToFileURL(join(folder, 'code_cache.js')).href);
await writeCache(join(folder, 'cli.cjs'), useCli);

async function useCli({ run, Terminal }) {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = new Terminal({ stdout: nowhere, stderr: process.stderr, env: {} });
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
