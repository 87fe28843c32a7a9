// Bundles the CLI: the 100 modules that a command needs, which Node would find, read and link one by one, become one file.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const script = (name) => fileURLToPath(new URL(`bundle/${name}.mjs`, import.meta.url));

/** Left to Node: large, rarely needed, or native. */
const EXTERNAL = /^(@tensorflow\/|@node-rs\/)/;

/**
 * Writes cli.cjs, whose modules run when they are imported, as in src/.
 * @param folder - is to be dist/cli: what the code finds beside itself (../proto, ../../package.json) is found from there.
 */
export async function bundleCli(folder) {
  const bundle = await rolldown({
    cwd: root,
    input: 'src/cli/index.ts',
    platform: 'node',
    external: EXTERNAL,
    resolve: { alias: { 'string-width': script('string_width'), assert: script('assert') } },
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
}
