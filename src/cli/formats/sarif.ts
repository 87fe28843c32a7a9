import { createHash } from 'node:crypto';
import type { CheckReport, ModelReport, ReportedFinding } from '../../diagnosis/check_report.js';
import { ruleSummary } from '../../diagnosis/rule_text.js';
import { RULES } from '../../diagnosis/rules.js';
import { jsonLines } from '../json.js';
import type { ReportFormat } from './format.js';
import { findingLine } from './rule_findings.js';
import { workspacePath } from './workspace_path.js';

const DOCS = 'https://github.com/bnfix/bnfix/blob/main/docs/check.md';

/** SARIF 2.1.0, as GitHub code scanning and others read it (https://docs.oasis-open.org/sarif/sarif/v2.1.0/). */
export const sarif: ReportFormat = (report) => jsonLines(logOf(report));

function logOf({ bnfix, models, summary }: CheckReport) {
  const driver = {
    name: 'bnfix',
    semanticVersion: bnfix,
    informationUri: 'https://github.com/bnfix/bnfix',
    rules: RULES.map(({ id, level }) => ({
      id,
      shortDescription: { text: ruleSummary(id) },
      helpUri: `${DOCS}#${id}`,
      defaultConfiguration: { level: levelOf(level) },
    })),
  };
  const invocation = {
    executionSuccessful: summary.failed === 0,
    exitCode: summary.exitCode,
    toolExecutionNotifications: models.flatMap(notificationsOf),
  };
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      { tool: { driver }, invocations: [invocation], results: models.flatMap(resultsOf), columnKind: 'utf16CodeUnits' },
    ],
  };
}

/** Models that could not be checked. */
function notificationsOf({ file, error }: ModelReport) {
  if (!error) return [];
  const lines = [error.message, ...error.why, ...error.fixes];
  const message = { text: plain(lines.join('\n')) };
  return [
    { level: 'error', message, locations: [{ physicalLocation: locationOf(file) }], descriptor: { id: error.code } },
  ];
}

function resultsOf({ file, findings, repair, note }: ModelReport) {
  const ways = [repair, note].filter((line) => line !== undefined);
  return findings.map((finding) => {
    const { rule, level, node } = finding;
    const physicalLocation = locationOf(file);
    const logicalLocations = [{ fullyQualifiedName: node, kind: 'object' }];
    const lines = level === 'error' ? [findingLine(finding), ...ways] : [findingLine(finding)];
    return {
      ruleId: rule,
      ruleIndex: RULES.findIndex(({ id }) => id === rule),
      level: levelOf(level),
      message: { text: plain(lines.join('\n')) },
      locations: [node === undefined ? { physicalLocation } : { physicalLocation, logicalLocations }],
      partialFingerprints: { 'bnfixFinding/v1': fingerprint(file, finding) },
    };
  });
}

function levelOf(level: 'error' | 'warn'): 'error' | 'warning' {
  return level === 'warn' ? 'warning' : level;
}

/** A model is one binary file: there are no lines, but consumers ask for a region. */
function locationOf(file: string) {
  return { artifactLocation: artifactOf(file), region: { startLine: 1 } };
}

/** A relative path is relative to the root of the sources, an absolute one is a file: URI. */
function artifactOf(file: string) {
  const path = workspacePath(file);
  const uri = path.split('/').map(encoded).join('/');
  if (path.startsWith('//')) return { uri: `file:${uri}` };
  if (path.startsWith('/')) return { uri: `file://${uri}` };
  return /^[a-z]:\//i.test(path) ? { uri: `file:///${uri}` } : { uri, uriBaseId: '%SRCROOT%' };
}

function encoded(part: string): string {
  // Half a surrogate pair, which is no character, has no encoding.
  return encodeURIComponent(part.replace(/\p{Cs}/gu, '\ufffd'));
}

/** In messages of SARIF, braces enclose the number of an argument, and `[text](address)` is a link. */
function plain(text: string): string {
  return text.replaceAll('{', '{{').replaceAll('}', '}}').replaceAll('](', '\\](');
}

/** The same for the same finding in the next run. */
function fingerprint(file: string, { rule, node, detail }: ReportedFinding): string {
  const text = [workspacePath(file), rule, node ?? '', detail.code].join('\0');
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
