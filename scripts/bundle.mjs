// Bundles the CLI: the 100 modules that a command needs, which Node would find, read and link one by one, become a few.
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const shim = (name) => fileURLToPath(new URL(`bundle/${name}.mjs`, import.meta.url));

/** Left to Node: large, rarely needed, or native. */
const EXTERNAL = /^(@tensorflow\/|@node-rs\/)/;

/** What every command that reads a model needs, in one file: finding and linking a file costs more than its size. */
const GROUPS = [
  { name: 'base', test: /\/src\/(errors|near|cli\/(version|json))\.ts$|picocolors/, priority: 2 },
  {
    name: 'library',
    test: /\/src\/(graph|io|readers|analysis|writers|freeze|load|resolve|cli\/(run_freeze|write_result))(?!.*\/text\.ts)/,
    priority: 1,
  },
];

/**
 * Writes main.js, whose imports stay as lazy as they are in src/, and its chunks.
 * @param folder - is to be dist/cli: what the code finds beside itself (../proto, ../../package.json) is found from there
 */
export async function bundleCli(folder) {
  const bundle = await rolldown({
    cwd: root,
    input: { main: 'src/cli/main.ts' },
    platform: 'node',
    external: EXTERNAL,
    resolve: { alias: { 'string-width': shim('string_width'), assert: shim('assert') } },
  });
  try {
    await bundle.write({
      dir: folder,
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: '[name]-[hash].js',
      // Names stay, for the stack of an internal error.
      minify: { mangle: false, compress: true },
      comments: false,
      codeSplitting: { groups: GROUPS },
    });
  } finally {
    await bundle.close();
  }
}
