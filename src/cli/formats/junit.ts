import type { CheckReport, ModelReport } from '../../diagnosis/check_report.js';
import { withEntities } from '../../entities.js';
import { printable } from '../../printable.js';
import type { ReportFormat } from './format.js';
import { findingLine } from './rule_findings.js';

/**
 * JUnit XML, as Jenkins and GitLab read it: a test for each model. It fails if the model is affected, and has an error if the
 * model could not be checked.
 */
export const junit: ReportFormat = ({ models, summary }: CheckReport) => {
  const counts = { tests: summary.models, failures: summary.affected, errors: summary.failed };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${attributes({ name: 'bnfix check', ...counts })}>`,
    `  <testsuite ${attributes({ name: 'bnfix check', ...counts, skipped: 0 })}>`,
    ...models.flatMap(testCase),
    '  </testsuite>',
    '</testsuites>',
  ];
};

function testCase(model: ModelReport): string[] {
  const start = `    <testcase ${attributes({ name: model.path, classname: 'bnfix.check' })}`;
  const content = [...resultOf(model), ...warningsOf(model)];
  return content.length === 0 ? [`${start}/>`] : [`${start}>`, ...content, '    </testcase>'];
}

function resultOf({ verdict, error, text, findings, repair, note }: ModelReport): string[] {
  if (error) {
    const details = [...error.why, ...error.fixes];
    return element('error', { message: error.message, type: error.code }, [error.message, ...details]);
  }
  if (verdict !== 'affected') return [];
  const errors = findings.filter(({ level }) => level === 'error');
  const ways = [repair, note].filter((line) => line !== undefined);
  const lines = [...errors.map((finding) => `${finding.rule}: ${findingLine(finding)}`), ...ways];
  return element('failure', { message: text, type: errors[0]?.rule ?? verdict }, lines);
}

function warningsOf({ findings }: ModelReport): string[] {
  const warnings = findings.filter(({ level }) => level === 'warn');
  if (warnings.length === 0) return [];
  return element(
    'system-out',
    {},
    warnings.map((finding) => `warning ${finding.rule}: ${findingLine(finding)}`),
  );
}

function element(name: string, attrs: Readonly<Record<string, string>>, lines: readonly string[]): string[] {
  const [first = '', ...rest] = lines.map(escaped);
  const start = Object.keys(attrs).length > 0 ? `${name} ${attributes(attrs)}` : name;
  const all = [`      <${start}>${first}`, ...rest];
  const last = all.pop() ?? '';
  return [...all, `${last}</${name}>`];
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}="${escaped(String(value))}"`)
    .join(' ');
}

/** A text in XML, in one line. Characters that XML 1.0 does not allow are replaced; others that are invisible are escaped. */
function escaped(text: string): string {
  const forbidden = /[^\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;
  return withEntities(printable(text).replace(forbidden, '\ufffd'));
}
