// Builds dist/: the protobuf module out of proto/*.proto (into src/proto, which git ignores), then the TypeScript.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);
const run = (script, args) => execFileSync(process.execPath, [script, ...args], { stdio: 'inherit' });

const generated = 'src/proto/tensorflow';
const protos = readdirSync('proto').map((file) => `proto/${file}`);
const skip = ['create', 'verify', 'convert', 'delimited', 'typeurl', 'service'].map((part) => `--no-${part}`);
const pbjs = ['-t', 'static-module', '-w', 'esm', '--keep-case', ...skip, '-p', 'proto'];
mkdirSync('src/proto', { recursive: true });
// Once with comments for the declarations, which are made from them; once without, for what is shipped.
run('node_modules/protobufjs-cli/bin/pbjs', [...pbjs, '--dts', '-o', `${generated}.js`, ...protos]);
run('node_modules/protobufjs-cli/bin/pbjs', [...pbjs, '--no-comments', '-o', `${generated}.js`, ...protos]);
// The text format needs reflection: the same protos as one JSON descriptor.
run('node_modules/protobufjs-cli/bin/pbjs', [
  '-t',
  'json',
  '--keep-case',
  '-p',
  'proto',
  '-o',
  'src/proto/descriptor.json',
  ...protos,
]);

rmSync('dist', { recursive: true, force: true });
run('node_modules/typescript/bin/tsc', ['-p', 'tsconfig.json']);
mkdirSync('dist/proto', { recursive: true });
for (const file of ['tensorflow.js', 'tensorflow.d.ts', 'descriptor.json']) {
  copyFileSync(`src/proto/${file}`, `dist/proto/${file}`);
}
chmodSync('dist/cli/main.js', 0o755);
