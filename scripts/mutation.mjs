// Mutation tests with Stryker: npm run mutation [-- --lines N] [-- STRYKER_OPTION...]
// All of src/analysis and src/passes takes hours. --lines N mutates N of their lines, drawn with a fixed seed: an estimate of the whole.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const args = process.argv.slice(2);
const at = args.indexOf('--lines');
const count = at < 0 ? undefined : Number(args.splice(at, 2)[1]);
const stryker = 'node_modules/@stryker-mutator/core/bin/stryker.js';
const mutate =
  count === undefined ? [] : ['--mutate', sample(codeLines(['src/analysis', 'src/passes']), count).join(',')];
process.exitCode = spawnSync(process.execPath, [stryker, 'run', ...mutate, ...args], { stdio: 'inherit' }).status ?? 1;

/** Lines that hold code, as Stryker names them: FILE:LINE-LINE. */
function codeLines(folders) {
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => join(folder, path).replaceAll(sep, '/'))
      .sort(),
  );
  return files.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line, i) =>
        /^\s*(\/?\*|\/\/|import |export type |$)/.test(line) ? [] : [`${file}:${i + 1}-${i + 1}`],
      ),
  );
}

/** That many of the items, drawn without putting back: the same every time. */
function sample(items, size) {
  const left = [...items];
  let state = 1;
  return Array.from({ length: Math.min(size, items.length) }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return left.splice(Math.floor((state / 2 ** 32) * left.length), 1)[0];
  });
}
