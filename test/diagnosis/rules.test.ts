import { describe, expect, it } from 'vitest';
import { check } from '../../src/diagnosis/check.js';
import type { CheckResult } from '../../src/diagnosis/check_result.js';
import { RULES } from '../../src/diagnosis/rules.js';
import { checkVerdictText, findingText } from '../../src/diagnosis/wording.js';
import { modelOf } from '../support/model.js';
import { parseWithFunctions } from '../support/parse_functions.js';
import { type CaseOptions, checkpointOf, textCases, updated } from '../support/text_cases.js';

const CASES = textCases('diagnosis/rules');

/** Shown through files: test/cli/check.test.ts. */
const OF_FILES = 'unreadable-checkpoint';

it('every rule has cases, and all cases are of a rule', () => {
  const ids: readonly string[] = RULES.map(({ id }) => id).filter((id) => id !== OF_FILES);
  expect([...CASES.keys()].sort()).toEqual([...ids].sort());
});

describe.each([...CASES])('%s', (rule, cases) => {
  it.each(cases)('$name', (textCase) => {
    const lines = linesOf(checked(textCase.given, textCase.options));
    const result = lines.map((line) => `${line}\n`).join('');
    expect(result).toBe(updated(textCase, result));
  });

  it('has a case with a finding and one without', () => {
    const isFound = cases.map(({ result }) => result.includes(` ${rule} `));
    expect({ found: isFound.includes(true), none: isFound.includes(false) }).toEqual({ found: true, none: true });
  });
});

function checked(given: string, options: CaseOptions): CheckResult {
  const graph = parseWithFunctions(given);
  const { file = 'model.meta', kind = 'meta_graph', tags, signatures } = options;
  const model = modelOf(graph, checkpointOf(options.checkpoint, graph));
  return check({
    ...model,
    name: file,
    kind,
    metaGraphDef: { meta_info_def: { tags: tags ?? [] }, signature_def: signatures ?? {} },
  });
}

function linesOf(result: CheckResult): string[] {
  return [
    checkVerdictText(result),
    ...result.findings.map(
      ({ rule, level, node, detail }) => `${level} ${rule} ${node ?? '-'}: ${findingText(detail)}`,
    ),
  ];
}
