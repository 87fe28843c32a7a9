import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sarif } from '../../../src/cli/formats/sarif.js';
import type { CheckReport } from '../../../src/diagnosis/check_report.js';
import { RULES } from '../../../src/diagnosis/rules.js';
import { EXAMPLE, reports } from './reports.js';

/** The official schema, which is written in draft 4 of JSON Schema. */
function schema(): Record<string, unknown> {
  const path = createRequire(import.meta.url).resolve('@microsoft/jest-sarif');
  const text = readFileSync(new URL('schemas/sarif-2.1.0-rtm.5.json', `file://${path}`), 'utf8');
  const { $schema: _, id: __, ...rest } = JSON.parse(text) as Record<string, unknown>;
  return rest;
}

const ajv = new Ajv({
  strict: false,
  unicodeRegExp: false,
  formats: { uri: isUri, 'uri-reference': isUri, 'date-time': true },
});
const validate = ajv.compile(schema());

/** Only characters of RFC 3986, with complete percent escapes. */
function isUri(text: string): boolean {
  return /^(?:[\w\-.~:/?#[\]@!$&'()*+,;=]|%[\da-f]{2})*$/i.test(text);
}

interface Result {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly message: { readonly text: string };
  readonly locations: readonly { readonly physicalLocation: { readonly artifactLocation: { readonly uri: string } } }[];
}

function runOf(report: CheckReport) {
  const log = JSON.parse(sarif(report).join('\n'));
  expect(validate(log), JSON.stringify(validate.errors)).toBe(true);
  const [run] = log.runs;
  const { rules } = run.tool.driver;
  return { run, rules, results: run.results as Result[] };
}

describe('sarif', () => {
  it('conforms to the official schema and has rule, model, node and repair', () => {
    const { run, rules, results } = runOf(EXAMPLE);
    expect(rules.map(({ id }: { id: string }) => id)).toEqual(RULES.map(({ id }) => id));
    expect(rules[0]).toMatchObject({
      helpUri: 'https://github.com/bnfix/bnfix/blob/main/docs/check.md#training-batch-norm',
      defaultConfiguration: { level: 'error' },
    });
    expect(results[0]).toEqual({
      ruleId: 'training-batch-norm',
      ruleIndex: 0,
      level: 'error',
      message: {
        text: "conv1/bn: uses batch statistics at inference\nbnfix freeze 'models/a b.meta' -o 'models/a b.frozen.pb'",
      },
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: 'models/a%20b.meta', uriBaseId: '%SRCROOT%' },
            region: { startLine: 1 },
          },
          logicalLocations: [{ fullyQualifiedName: 'conv1/bn', kind: 'object' }],
        },
      ],
      partialFingerprints: { 'bnfixFinding/v1': expect.stringMatching(/^[\da-f]{32}$/) },
    });
    expect(results[1]).toMatchObject({ ruleId: 'random-op', level: 'warning' });
    expect(run.invocations[0]).toMatchObject({
      executionSuccessful: false,
      exitCode: 1,
      toolExecutionNotifications: [
        { message: { text: '/data/x.pb is truncated\nit ends at 5\ncopy it again' }, descriptor: { id: 'unreadable' } },
      ],
    });
  });

  it('gives a finding the same fingerprint in every run, and others another', () => {
    const print = (report: CheckReport) =>
      runOf(report).run.results.map((result: { partialFingerprints: unknown }) => result.partialFingerprints);
    expect(print(EXAMPLE)).toEqual(print(EXAMPLE));
    expect(new Set(print(EXAMPLE).map((each: unknown) => JSON.stringify(each))).size).toBe(2);
  });

  it('cannot be broken by names', () => {
    fc.assert(
      fc.property(reports, (report) => {
        const { rules, results } = runOf(report);
        expect(results).toHaveLength(report.summary.errors + report.summary.warnings);
        for (const { ruleId, ruleIndex, message } of results) {
          expect(rules[ruleIndex].id).toBe(ruleId);
          // Arguments of a message are not used.
          expect(message.text.replaceAll('{{', '').replaceAll('}}', '')).not.toMatch(/[{}]/);
        }
      }),
    );
  });
});
