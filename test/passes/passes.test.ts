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

it('every pass has cases, and all cases are of a pass', () => {
  expect([...CASES.keys()].sort()).toEqual([...passes.keys()].sort());
  expect([...CASES].filter(([, cases]) => cases.length < 3).map(([name]) => name)).toEqual([]);
});

describe.each([...CASES])('%s', (name, cases) => {
  it.each(cases)('$name', (textCase) => {
    const { options, given } = textCase;
    const pass = passes.get(name)!;
    const graph = parseWithFunctions(given);
    const result = passResult(pass, graph, options, unnamedNodes(graph, given));
    expect(result).toBe(updated(textCase, result));
    if (result.startsWith('refused')) return;
    // What was paired by hand needs no pairing any more, and outputs have their names.
    const { map: _, outputNames = {}, outputs, ...others } = options;
    const renamed = outputs?.map((name) => outputNames[name] ?? name) ?? Object.values(outputNames);
    const again = { ...others, ...(renamed.length > 0 && { outputs: renamed }) };
    expect(passResult(pass, graph, again), 'a second run').toBe('unchanged\n');
  });
});
