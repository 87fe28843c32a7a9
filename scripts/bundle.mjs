// Bundles: the CLI, whose 200 modules Node would find, read and link one by one, in a file for each command; TensorFlow.js, of which 1 MB is needed; the script of pages.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const script = (name) => fileURLToPath(new URL(`bundle/${name}.mjs`, import.meta.url));

/** Native, and optional. */
const NATIVE = /^@node-rs\//;

/** Bundled apart: TensorFlow.js, which the library needs as well, and Graphviz. */
const APART = {
  'tfjs_bundle.js': '../run/tfjs_bundle.js',
  'wasm_bundle.js': '../run/wasm_bundle.js',
  'viz_bundle.js': '../drawing/viz_bundle.js',
};

/** Loaded only when it is written. */
const PAGE = '../page/page.js';

/**
 * Writes cli.cjs and, next to it, a file for what each command, each format and the question need beyond it: nothing is loaded twice, and
 * what a run does not need is not loaded. Modules run when they are imported, as in src/.
 * @param folder - is to be dist/cli: what the code finds beside itself (../proto, ../../package.json) is found from there.
 * @returns the folders of the packages that it contains
 */
export function bundleCli(folder) {
  const input = {
    input: { cli: 'src/cli/index.ts', worker: 'src/cli/batch/worker.ts' },
    external: [NATIVE, PAGE],
    plugins: [{ name: 'apart', resolveId: apart }],
    resolve: { alias: { 'string-width': script('string_width'), assert: script('assert') } },
    // What yargs' "extends" looks files up with; nothing extends anything here.
    transform: { define: { 'import.meta.resolve': 'require.resolve' } },
  };
  const names = { dir: folder, entryFileNames: '[name].cjs', chunkFileNames: '[name].cjs' };
  // Names stay, for the stack of an internal error.
  const minify = { mangle: false, compress: true };
  return bundle(input, { ...names, format: 'cjs', minify, codeSplitting: true });
}

function apart(id) {
  const file = APART[id.slice(id.lastIndexOf('/') + 1)];
  return file === undefined ? null : { id: file, external: true };
}

/**
 * Writes tfjs_bundle.js and wasm_bundle.js, and what they share.
 * @param folder - is to be dist/run
 * @returns the folders of the packages that they contain
 */
export function bundleTfjs(folder) {
  const input = {
    input: { tfjs_bundle: 'src/run/tfjs_bundle.ts', wasm_bundle: 'src/run/wasm_bundle.ts' },
    // The parts of TensorFlow.js rather than their bundles; nothing is downloaded.
    resolve: { mainFields: ['module', 'main'], alias: { 'node-fetch': script('no_fetch') } },
    // The backends register themselves and their kernels.
    treeshake: { moduleSideEffects: true },
    // The module is given, not looked for.
    transform: { define: { __dirname: '""', __filename: '""' } },
    plugins: [{ name: 'handlers', transform: withoutHandlers }],
  };
  const names = { dir: folder, entryFileNames: '[name].js', chunkFileNames: 'tfjs_[name].js' };
  return bundle(input, { ...names, format: 'esm', minify: true, codeSplitting: true });
}

/** The glue code of WebAssembly would handle all uncaught errors of the process. */
function withoutHandlers(code, id) {
  return id.includes('/wasm-out/') ? code.replaceAll('process["on"](', '((..._)=>{})(') : null;
}

/** Writes src/run/wasm_binary.js, which git ignores: the WebAssembly module of TensorFlow.js. */
export function writeWasm() {
  const bytes = readFileSync(
    join(root, 'node_modules/@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm'),
  );
  const address = `data:application/wasm;base64,${bytes.toString('base64')}`;
  writeFileSync(join(root, 'src/run/wasm_binary.js'), `export const WASM = '${address}';\n`);
}

/**
 * Writes viz_bundle.js: Graphviz.
 * @param folder - is to be dist/drawing
 * @returns the folders of the packages that it contains
 */
export function bundleViz(folder) {
  const output = { file: join(folder, 'viz_bundle.js'), format: 'esm', minify: true };
  return bundle({ input: 'src/drawing/viz_bundle.ts' }, output);
}

/**
 * Bundles the script of pages.
 * @returns the script, and the folders of the packages that it contains
 */
export async function bundlePage() {
  const input = { input: 'src/page/browser/main.ts', platform: 'browser', tsconfig: 'tsconfig.browser.json' };
  const { files, packages } = await generated(input, { format: 'iife', minify: true }, 'generate');
  return { script: files[0].code, packages };
}

async function bundle(input, output) {
  return (await generated(input, output, 'write')).packages;
}

async function generated(input, output, how) {
  const build = await rolldown({ cwd: root, platform: 'node', ...input });
  try {
    const { output: files } = await build[how]({ comments: false, codeSplitting: false, ...output });
    const modules = files.flatMap((file) => Object.keys(file.modules ?? {}));
    const packages = modules.flatMap(
      (id) => /^\0?(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id.replaceAll('\\', '/'))?.[1] ?? [],
    );
    return { files, packages };
  } finally {
    await build.close();
  }
}
