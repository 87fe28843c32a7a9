// Mutation tests with Stryker: npm run mutation [-- --folder src/readers]... [--lines N] [--seed S] [--mutate GLOB]
// --lines N mutates N lines of each folder, drawn with a seed: an estimate, given with its interval of confidence.
// MUTATION_SECONDS=N gives up a mutant after N seconds of tests (60); MUTATION_TESTS=readers,io runs the tests of these folders only.
// The table is printed and coverage/mutation.html shows what survived.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';

const FOLDERS = [
  'src/analysis/folding',
  'src/analysis/runnable',
  'src/analysis/state',
  'src/analysis/training',
  'src/analysis/values',
  'src/ops',
  'src/passes',
  'src/readers',
  'src/writers',
];

process.chdir(fileURLToPath(new URL('../..', import.meta.url)));
const { values } = parseArgs({
  options: {
    folder: { type: 'string', multiple: true, default: FOLDERS },
    lines: { type: 'string' },
    seed: { type: 'string', default: '1' },
    mutate: { type: 'string', multiple: true },
  },
});

const sampled = () => values.folder.flatMap((folder) => sample(codeLines(folder), Number(values.lines)));
const whole = () => values.folder.map((folder) => `${folder}/**/*.ts`);
const mutate = values.mutate ?? (values.lines === undefined ? whole() : sampled());
const results = await new Stryker({ mutate }).runMutationTest();
console.log(table(results));

/** Lines that hold code, as Stryker names them: FILE:LINE-LINE. */
function codeLines(folder) {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
  const paths = files.map((path) => join(folder, path).replaceAll(sep, '/')).sort();
  return paths.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line, i) =>
        /^\s*(\/?\*|\/\/|import |export type |$)/.test(line) ? [] : [`${file}:${i + 1}-${i + 1}`],
      ),
  );
}

/** That many of the items, drawn without putting back: the same for the same seed. */
function sample(items, size) {
  const left = [...items];
  let state = Number(values.seed);
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return Array.from(
    { length: Math.min(size, items.length) },
    () => left.splice(Math.floor(next() * left.length), 1)[0],
  );
}

/** A row for each folder; mutants that only run while modules are loaded are not tried. */
function table(mutants) {
  const rows = values.folder.flatMap((folder) => {
    const own = mutants.filter(({ fileName }) => relative('.', fileName).startsWith(`${folder}/`));
    const count = (...statuses) => own.filter(({ status }) => statuses.includes(status)).length;
    const [killed, survived, missed] = [count('Killed', 'Timeout'), count('Survived'), count('NoCoverage')];
    const all = killed + survived + missed;
    const counts = [all, killed, survived, missed, count('Ignored')].join(' | ');
    return all === 0 ? [] : [`| \`${folder}\` | ${counts} | ${score(killed, all)} |`];
  });
  return ['| folder | mutants | killed | survived | not covered | not tried | score |', '|---|---|---|---|---|---|---|']
    .concat(rows)
    .join('\n');
}

/** The share in percent; of a sample with its Wilson interval of 95 %. */
function score(killed, all) {
  const percent = (share) => `${Math.round(100 * share)} %`;
  const share = killed / all;
  if (values.lines === undefined) return percent(share);
  const z = 1.96;
  const middle = (share + z ** 2 / (2 * all)) / (1 + z ** 2 / all);
  const half = (z / (1 + z ** 2 / all)) * Math.sqrt((share * (1 - share)) / all + z ** 2 / (4 * all ** 2));
  return `${percent(share)} (${percent(middle - half)} to ${percent(middle + half)})`;
}
