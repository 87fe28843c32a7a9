// What test files import from vitest while mutation tests run: `describe`, `it` and the hooks collect, nothing runs yet.
export { expect, vi } from 'vitest';

/** All tests, in the order of their definition: { id, name, fileName, suite, run }. */
export const tests = [];

/** The suite whose body is running; a file is one, too. */
let suite;

/** Collects the tests that `body` defines as those of a file. */
export async function collectFile(fileName, body) {
  suite = newSuite(fileName);
  await body();
  suite = undefined;
}

export const describe = withVariants((name, ...rest) => {
  const outer = suite;
  suite = newSuite(name, outer);
  bodyOf(rest)();
  suite = outer;
});

const it = withVariants((name, ...rest) => {
  const title = `${suite.id} > ${name}`;
  tests.push({ id: `${title} #${tests.length}`, name: title, fileName: suite.path[0].id, suite, run: bodyOf(rest) });
});

export { it, it as test };

export const beforeAll = (hook) => suite.beforeAll.push(hook);
export const afterAll = (hook) => suite.afterAll.push(hook);
export const beforeEach = (hook) => suite.beforeEach.push(hook);
export const afterEach = (hook) => suite.afterEach.push(hook);

function newSuite(name, outer) {
  const id = outer ? `${outer.id} > ${name}` : name;
  const made = { id, path: [], beforeAll: [], afterAll: [], beforeEach: [], afterEach: [] };
  // From the file's to the innermost one.
  made.path = [...(outer?.path ?? []), made];
  return made;
}

/** The function among the arguments after the name: options or a timeout may be next to it. */
function bodyOf(rest) {
  return rest.find((each) => typeof each === 'function') ?? (() => {});
}

/** A definition with `each`, `skipIf` and `runIf`. */
function withVariants(define) {
  const skip = Object.assign(() => {}, { each: () => () => {} });
  const variants = {
    skip,
    each:
      (rows) =>
      (name, ...rest) => {
        for (const [i, row] of [...rows].entries()) {
          const values = Array.isArray(row) ? row : [row];
          define(`${name} ${i} ${shortText(row)}`, () => bodyOf(rest)(...values));
        }
      },
    skipIf: (condition) => (condition ? skip : defineWithVariants),
    runIf: (condition) => (condition ? defineWithVariants : skip),
  };
  const defineWithVariants = Object.assign(define, variants);
  return defineWithVariants;
}

/** The name of a case, or its first values. */
function shortText(row) {
  if (typeof row?.name === 'string') return row.name;
  const text = Array.isArray(row) ? row.filter((value) => Object(value) !== value).join(', ') : String(row);
  return text.slice(0, 60);
}
