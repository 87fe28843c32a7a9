// Bundles the CLI: 100 modules that Node would have to find, read and link one by one become three or four.
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Left to Node: large, rarely needed, or native. */
const EXTERNAL = /^(@tensorflow\/|@node-rs\/)/;

/**
 * @param folder - is to be dist/cli: what the code finds beside itself (../proto, ../../package.json) is found from there
 */
export async function bundleCli(folder) {
  const bundle = await rolldown({
    cwd: root,
    input: { main: 'src/cli/main.ts' },
    platform: 'node',
    external: EXTERNAL,
    // Help is plain ASCII; the real one compiles an expression of all emojis, for which a whole run could be waited twice.
    resolve: { alias: { 'string-width': fileURLToPath(new URL('bundle/string_width.mjs', import.meta.url)) } },
  });
  try {
    await bundle.write({
      dir: folder,
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: '[name]-[hash].js',
      minify: { mangle: false, compress: true },
      comments: false
    });
  } finally {
    await bundle.close();
  }
}
