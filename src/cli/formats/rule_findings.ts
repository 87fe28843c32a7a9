import type { ReportedFinding } from '../../diagnosis/check_report.js';
import type { Level } from '../../diagnosis/finding.js';
import { printable } from '../../printable.js';

/** The findings of one rule in a model. */
export interface RuleFindings {
  readonly rule: ReportedFinding['rule'];
  readonly level: Level;
  readonly findings: readonly ReportedFinding[];
}

/** The findings of a model by rule, in the order of the report. */
export function byRule(findings: readonly ReportedFinding[]): RuleFindings[] {
  const groups = new Map<string, ReportedFinding[]>();
  for (const finding of findings) {
    const key = `${finding.level} ${finding.rule}`;
    const group = groups.get(key);
    if (group) group.push(finding);
    else groups.set(key, [finding]);
  }
  return [...groups.values()].map((group) => ({ rule: group[0]!.rule, level: group[0]!.level, findings: group }));
}

/** A finding in one line: the node and what is wrong with it. */
export function findingLine({ node, message }: ReportedFinding): string {
  return node === undefined ? message : `${printable(node)}: ${message}`;
}
