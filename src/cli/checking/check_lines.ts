import type { ModelReport, ReportedFinding } from '../../diagnosis/check_report.js';
import { printable } from '../../printable.js';
import type { ReportStyle } from '../report_style.js';

/** How many findings of a rule are shown without -v. */
const SHOWN = 1;

/** The lines on a model: its verdict, the command that repairs it, and its warnings. */
export function modelLines(report: ModelReport, { colors, verbose }: ReportStyle): string[] {
  const { path, verdict, text, repair, note, error } = report;
  const [word = '', ...rest] = text.split(' ');
  const painted = verdict === 'ok' || verdict === 'ok_once' ? colors.green(word) : colors.red(word);
  const lines = [`${printable(path)}: ${[painted, ...rest].join(' ')}`];
  if (repair !== undefined) lines.push(`  ${repair}`);
  if (note !== undefined) lines.push(`  ${note}`);
  if (error) lines.push(...detailsOf(error).map((line) => `  ${line}`));
  for (const [rule, findings] of byRule(report.findings)) {
    const [first] = findings;
    // The verdict has said it.
    if (!verbose && first!.level === 'error' && rule === 'training-batch-norm') continue;
    const level = first!.level === 'error' ? colors.red('error') : colors.yellow('warning');
    const shown = verbose ? findings : findings.slice(0, SHOWN);
    for (const finding of shown) lines.push(`  ${level} ${rule}: ${findingLine(finding)}`);
    const more = findings.length - shown.length;
    if (more > 0) lines[lines.length - 1] += colors.dim(` (and ${more} more: -v)`);
  }
  return lines;
}

function findingLine({ node, message }: ReportedFinding): string {
  return node === undefined ? message : `${printable(node)}: ${message}`;
}

function detailsOf({ why, fixes }: NonNullable<ModelReport['error']>): string[] {
  return [...why, ...fixes].map(printable);
}

function byRule(findings: readonly ReportedFinding[]): Map<string, ReportedFinding[]> {
  const rules = new Map<string, ReportedFinding[]>();
  for (const finding of findings) {
    const others = rules.get(finding.rule);
    if (others) others.push(finding);
    else rules.set(finding.rule, [finding]);
  }
  return rules;
}
