// A test runner for Stryker that runs the tests in its own process. Every module is loaded once; the next mutant is a switch in the
// instrumented code, so that a mutant costs the time of the tests that reach it and nothing else.
import { readdirSync } from 'node:fs';
import { register } from 'node:module';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import { Script } from 'node:vm';
import { collectFile, tests } from './collect.mjs';

/** Folders of test/ that reach what is mutated; files in them that take long or measure are left out. */
const FOLDERS = (
  process.env.MUTATION_TESTS ??
  'analysis,fold,foreign,formats,freezing,graph,io,load,locate,notation,ops,passes,readers,writers'
).split(',');
const LEFT_OUT =
  /notation\/fixtures|twins_in_fixtures|random_nets|fold\/random|live_nodes|cli\.test|limit\.test|bounded_work/;
/** They write each fixture once more, in formats that the mutated code knows nothing of: a third of the time of all tests. */
const LEFT_OUT_OF_ALL = process.env.MUTATION_TESTS === undefined ? /formats\/(variables|tfjs\/fixtures)/ : /^$/;

/** The tests that read, freeze or fold one fixture each: most of the time of all tests. */
const FIXTURES = /(fixtures|formats\/variables|writers\/roundtrip)\.test\.ts$/;

/** Tests that take longer, in processor time, are left out. */
const TOO_SLOW_MS = 3000;
/** A mutant is given up after tests that took that long in processor time: enough for most of the fixtures that reach it. */
const ENOUGH_MS = 1000 * Number(process.env.MUTATION_SECONDS ?? 60);
/** A test that takes longer than this and ten times its usual time is in an infinite loop. */
const ENDLESS_MS = 5000;

/** So many tests that killed the last mutants are remembered. */
const KILLERS = 10;

// Few examples of each property. What is made of a fixture is compared with the known bytes, not run.
process.env.BNFIX_RUNS = '20';
process.env.BNFIX_BYTES_ONLY = '1';

/** The object through which the instrumented code is controlled. */
globalThis.__stryker__ ??= {};
const stryker = globalThis.__stryker__;

export const strykerPlugins = [{ kind: 'TestRunner', name: 'in_process', factory: () => new InProcessRunner() }];

class InProcessRunner {
  capabilities() {
    return { reloadEnvironment: false };
  }

  /** With what they took in the first run. */
  tests = [];
  /** The tests that killed the last mutants. */
  killers = [];

  async init() {
    register('./module_hooks.mjs', import.meta.url);
    process.on('unhandledRejection', () => {});
    // TensorFlow.js would end the process.
    const on = process.on.bind(process);
    process.on = (event, listener) => (/^un(handledRej|caughtExc)/.test(event) ? process : on(event, listener));
    for (const path of testFiles()) {
      await collectFile(path, () => import(pathToFileURL(path).href));
    }
    // What is computed at first use must not be computed under a mutant.
    this.tests = usable(await runTests(tests.filter(({ fileName }) => !FIXTURES.test(fileName))));
  }

  /**
   * Runs the tests a second time: each must pass in a process that has run all before, as for every mutant. Fixtures, which take
   * longest, are run once: other tests have been through the same code.
   */
  async dryRun() {
    const again = await runTests(this.tests);
    const fixtures = usable(await runTests(tests.filter(({ fileName }) => FIXTURES.test(fileName))));
    this.tests.push(...fixtures);
    console.log(`${this.tests.length} of ${tests.length} tests`);
    return { status: 'complete', tests: [...again, ...fixtures].map(testResult), mutantCoverage: coverage() };
  }

  async mutantRun({ testFilter, activeMutant, hitLimit, sandboxFileName }) {
    const chosen = new Set(testFilter);
    const run = testFilter ? this.tests.filter(({ id }) => chosen.has(id)) : this.tests;
    Object.assign(stryker, { activeMutant: activeMutant.id, hitCount: 0, hitLimit });
    const results = await runTests(this.likelyFirst(run, sandboxFileName), ENOUGH_MS);
    const { hitCount } = stryker;
    Object.assign(stryker, { activeMutant: undefined, hitCount: undefined });
    if (hitCount > hitLimit) return { status: 'timeout', reason: `hit limit reached (${hitCount})` };
    const failed = results.at(-1);
    if (failed?.failureMessage === undefined) return { status: 'survived', nrOfTests: results.length };
    const { id, failureMessage } = failed;
    if (failureMessage === TIMED_OUT) return { status: 'timeout', reason: id };
    this.killers = [id, ...this.killers.filter((killer) => killer !== id)].slice(0, KILLERS);
    return { status: 'killed', killedBy: [id], failureMessage, nrOfTests: results.length };
  }

  /**
   * What killed the last mutants is likely to kill their neighbour; after that, the tests of the same folder, other tests, and fixtures,
   * which are compared with the known bytes as in `npm test` (test/support/results.ts). The shortest ones are first.
   */
  likelyFirst(run, file) {
    const folder = dirname(file).replace(/.*\/src\//, '/test/');
    const rank = ({ id, fileName }) => {
      const at = this.killers.indexOf(id);
      if (at >= 0) return at;
      if (fileName.includes(`${folder}/`)) return KILLERS;
      return KILLERS + (FIXTURES.test(fileName) ? 2 : 1);
    };
    return run
      .map((one) => ({ one, rank: rank(one) }))
      .sort((a, b) => a.rank - b.rank || a.one.cpuMs - b.one.cpuMs)
      .map(({ one }) => one);
  }
}

/** Which mutants each test reaches; what the hook of a suite reaches counts for all its tests. */
function coverage() {
  const { perTest, static: outside } = stryker.mutantCoverage;
  const merged = tests.map(({ id, suite }) => {
    const parts = [perTest[id], ...suite.path.map((each) => perTest[each.id])];
    return [id, Object.assign({}, ...parts)];
  });
  return { static: outside, perTest: Object.fromEntries(merged) };
}

/** Results of tests that are fast enough, and pass: properties that need more examples than they get here fail. */
function usable(results) {
  return results.filter(({ cpuMs, failureMessage }) => cpuMs <= TOO_SLOW_MS && failureMessage === undefined);
}

function testFiles() {
  return FOLDERS.flatMap((folder) =>
    readdirSync(join('test', folder), { recursive: true, encoding: 'utf8' })
      .map((path) => `${folder}/${path}`)
      .filter((path) => path.endsWith('.test.ts') && !LEFT_OUT.test(path) && !LEFT_OUT_OF_ALL.test(path))
      .sort()
      .map((path) => join(process.cwd(), 'test', path)),
  );
}

/** Runs tests in order, with their hooks; with a limit until one fails or they have taken that long. */
async function runTests(list, limitMs = undefined) {
  let left = limitMs;
  const results = [];
  const open = [];
  for (const one of list) {
    const { path } = one.suite;
    const [start, cpu] = [performance.now(), process.cpuUsage()];
    let failureMessage;
    try {
      while (open.length > 0 && !path.includes(open.at(-1))) await runHooks(open.pop().afterAll);
      for (const suite of path.slice(open.length)) {
        open.push(suite);
        stryker.currentTestId = suite.id;
        await runHooks(suite.beforeAll);
      }
      stryker.currentTestId = one.id;
      for (const suite of path) await runHooks(suite.beforeEach);
      await timeLimited(one);
    } catch (error) {
      failureMessage = error?.code === TIMED_OUT ? TIMED_OUT : String(error?.message ?? error);
    }
    try {
      for (const suite of [...path].reverse()) await runHooks([...suite.afterEach].reverse());
    } catch (error) {
      failureMessage ??= String(error);
    }
    stryker.currentTestId = undefined;
    const { user, system } = process.cpuUsage(cpu);
    const took = { timeSpentMs: performance.now() - start, cpuMs: (user + system) / 1000 };
    results.push({ ...one, ...took, failureMessage });
    if (limitMs === undefined) continue;
    left -= took.cpuMs;
    if (failureMessage !== undefined || left < 0) break;
  }
  while (open.length > 0) await runHooks(open.pop().afterAll).catch(() => {});
  return results;
}

const TIMED_OUT = 'ERR_SCRIPT_EXECUTION_TIMEOUT';
const script = new Script('__stryker__.run()');

/** Calls a test; one that never comes back is ended, without the process that it runs in. */
function timeLimited({ run, timeSpentMs = 0 }) {
  stryker.run = run;
  return script.runInThisContext({ timeout: ENDLESS_MS + Math.ceil(10 * timeSpentMs) });
}

async function runHooks(hooks) {
  for (const hook of hooks) await hook();
}

function testResult({ id, name, fileName, timeSpentMs, failureMessage }) {
  return { id, name, fileName, timeSpentMs, status: failureMessage === undefined ? 0 : 1, failureMessage };
}
