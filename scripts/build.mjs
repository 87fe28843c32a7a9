// Builds dist/: the protobuf module out of proto/*.proto (into src/proto, which git ignores), the TypeScript, the CLI in a file for each command, TensorFlow.js in one file, what pages contain, the licences of all, the man page.
// --quick leaves out the protos and the types: for tests, which need what changed in src/.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleCli, bundleTfjs, bundleViz, writeWasm } from './bundle.mjs';
import { licenceTexts } from './licences.mjs';
import { manPage } from './man.mjs';
import { writePageAssets } from './page_assets.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);
const quick = process.argv.includes('--quick');
const run = (script, args) => execFileSync(process.execPath, [script, ...args], { stdio: 'inherit' });

if (!quick) generateProtos();
writeDescriptor();
writeWasm();
const ofPage = await writePageAssets();

// Apart, and moved at the end: whoever runs dist/ in the meantime has all of the old one or all of the new one.
const built = mkdtempSync(join(root, '.dist-'));
try {
  run('node_modules/typescript/bin/tsc', ['-p', 'tsconfig.json', '--outDir', built, ...(quick ? ['--noCheck'] : [])]);
  mkdirSync(join(built, 'proto'), { recursive: true });
  for (const file of ['tensorflow.js', 'tensorflow.d.ts', 'descriptor.js', 'descriptor.d.ts']) {
    copyFileSync(join('src/proto', file), join(built, 'proto', file));
  }
  for (const file of ['assets.js', 'assets.d.ts']) copyFileSync(join('src/page', file), join(built, 'page', file));
  const cli = join(built, 'cli');
  writeFileSync(join(built, 'bnfix.1'), await manPage(cli));
  for (const file of readdirSync(cli)) if (file !== 'main.js') rmSync(join(cli, file), { recursive: true });
  const packages = [...ofPage, ...(await bundleCli(cli))];
  for (const room of ['run', 'drawing']) removeForeignTypes(join(built, room));
  const bundles = ['THIRD_PARTY_LICENSES.txt', ...bundledIn('run'), ...bundledIn('drawing')];
  if (quick && bundles.length > 3 && packages.every(hasLicence)) {
    // They do not depend on src/.
    for (const file of bundles) copyFileSync(join('dist', file), join(built, file));
  } else {
    packages.push(...(await bundleTfjs(join(built, 'run'))), ...(await bundleViz(join(built, 'drawing'))));
    // rolldown adds a few functions of its own.
    const header =
      'The files cli/*.cjs, page/assets.js, run/tfjs_*.js, run/wasm_bundle.js and drawing/viz_bundle.js contain code of these packages.';
    const texts = licenceTexts([...packages, 'node_modules/rolldown'], header);
    writeFileSync(join(built, 'THIRD_PARTY_LICENSES.txt'), texts);
  }
  chmodSync(join(cli, 'main.js'), 0o755);
  chmodSync(built, 0o755);
  const old = mkdtempSync('.dist-');
  try {
    renameSync('dist', join(old, 'dist'));
  } catch {
    // There was none.
  }
  renameSync(built, 'dist');
  rmSync(old, { recursive: true, force: true });
} finally {
  rmSync(built, { recursive: true, force: true });
}

/** The bundles in a folder of dist/, if the last build wrote them. */
function bundledIn(room) {
  const folder = join('dist', room);
  if (!existsSync(folder) || !existsSync('dist/THIRD_PARTY_LICENSES.txt')) return [];
  const files = readdirSync(folder).filter((name) => /^(tfjs|wasm|viz)_(?!binary).*\.js$/.test(name));
  return files.map((name) => `${room}/${name}`);
}

/** Whether the last build listed the licence of a package. */
function hasLicence(folder) {
  const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return readFileSync('dist/THIRD_PARTY_LICENSES.txt', 'utf8').includes(`\n${name} ${version} (`);
}

function generateProtos() {
  const generated = 'src/proto/tensorflow';
  const protos = readdirSync('proto').map((file) => `proto/${file}`);
  const skip = ['create', 'verify', 'convert', 'delimited', 'typeurl', 'service'].map((part) => `--no-${part}`);
  const pbjs = ['-t', 'static-module', '-w', 'esm', '--keep-case', ...skip, '-p', 'proto'];
  mkdirSync('src/proto', { recursive: true });
  // Once with comments for the declarations, which are made from them; once without, for what is shipped.
  run('node_modules/protobufjs-cli/bin/pbjs', [...pbjs, '--dts', '-o', `${generated}.js`, ...protos]);
  run('node_modules/protobufjs-cli/bin/pbjs', [...pbjs, '--no-comments', '-o', `${generated}.js`, ...protos]);
  // The text format needs reflection: the same protos as one JSON descriptor.
  const descriptor = ['-t', 'json', '--keep-case', '-p', 'proto', '-o', 'src/proto/descriptor.json', ...protos];
  run('node_modules/protobufjs-cli/bin/pbjs', descriptor);
}

/** Declarations with types of bundled packages, which users do not have: none of them is public. */
function removeForeignTypes(folder) {
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.d.ts'))) {
    if (/'@(tensorflow|viz-js)\//.test(readFileSync(join(folder, file), 'utf8'))) rmSync(join(folder, file));
  }
}

/** The descriptor as a module: Node 20 warns of JSON that is imported. */
function writeDescriptor() {
  writeFileSync(
    'src/proto/descriptor.js',
    `export default ${readFileSync('src/proto/descriptor.json', 'utf8').trim()};\n`,
  );
  writeFileSync(
    'src/proto/descriptor.d.ts',
    "declare const descriptor: import('protobufjs').INamespace;\nexport default descriptor;\n",
  );
}
