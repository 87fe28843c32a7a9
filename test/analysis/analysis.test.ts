import { describe, expect, it } from 'vitest';
import { ANALYSES } from '../support/analyses.js';
import { parseWithFunctions } from '../support/parse_functions.js';
import { textCases, updated } from '../support/text_cases.js';

const CASES = textCases('analysis');

it('every analysis has cases, and all cases are of an analysis', () => {
  expect([...CASES.keys()].sort()).toEqual(Object.keys(ANALYSES).sort());
  expect([...CASES].filter(([, cases]) => cases.length < 3).map(([name]) => name)).toEqual([]);
});

describe.each([...CASES])('%s', (name, cases) => {
  it.each(cases)('$name', (textCase) => {
    const { options, given } = textCase;
    const lines = ANALYSES[name]!(parseWithFunctions(given), options);
    const result = lines.map((line) => `${line}\n`).join('') || 'nothing\n';
    expect(result).toBe(updated(textCase, result));
  });
});
