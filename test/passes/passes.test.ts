import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseWithFunctions } from '../support/parse_functions.js';
import { type AnyPass, passOf, passResult, unnamedNodes } from '../support/run_pass.js';
import { textCases, updated } from '../support/text_cases.js';

const CASES = textCases('passes');
const FILES = readdirSync(new URL('../../src/passes', import.meta.url)).filter((file) => file.endsWith('.ts'));
const passes = new Map<string, AnyPass>();
for (const name of FILES.map((file) => file.slice(0, -3))) {
  const pass = await passOf(name);
  if (pass) passes.set(name, pass);
}

/** Passes whose cases are still to be written. */
const WAITING = /^(prune_functions|replace_|rewire_)/;

it('every pass has cases, and all cases are of a pass', () => {
  expect([...CASES.keys()].filter((name) => !passes.has(name))).toEqual([]);
  const few = [...passes.keys()].filter((name) => (CASES.get(name)?.length ?? 0) < 3);
  expect(few.filter((name) => !WAITING.test(name))).toEqual([]);
});

describe.each([...CASES])('%s', (name, cases) => {
  it.each(cases)('$name', (textCase) => {
    const { options, given } = textCase;
    const pass = passes.get(name)!;
    const graph = parseWithFunctions(given);
    const result = passResult(pass, graph, options, unnamedNodes(graph, given));
    expect(result).toBe(updated(textCase, result));
    if (!result.startsWith('refused')) expect(passResult(pass, graph, options), 'a second run').toBe('unchanged\n');
  });
});
