import type { ModelReport } from '../../diagnosis/check_report.js';
import { printable } from '../../printable.js';
import type { ReportFormat } from './format.js';
import { byRule, findingLine, type RuleFindings } from './rule_findings.js';
import { workspacePath } from './workspace_path.js';

/** Findings of one rule that an annotation shows. */
const SHOWN = 3;

/**
 * Annotations of a GitHub workflow: one for each rule and model, since GitHub shows ten of a level in a step.
 * https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
 */
export const github: ReportFormat = ({ models }) => models.flatMap(annotationsOf);

function annotationsOf(model: ModelReport): string[] {
  const { file, error, findings } = model;
  if (error) {
    const lines = [printable(error.message), ...error.fixes.map((fix) => `fix: ${printable(fix)}`)];
    return [annotation('error', file, `bnfix check: ${error.code}`, lines)];
  }
  return byRule(findings).map((group) => annotation(commandOf(group), file, titleOf(group), linesOf(group, model)));
}

function commandOf({ level }: RuleFindings): 'error' | 'warning' {
  return level === 'error' ? 'error' : 'warning';
}

function titleOf({ rule }: RuleFindings): string {
  return `bnfix check: ${rule}`;
}

function linesOf({ findings, level }: RuleFindings, { repair, note }: ModelReport): string[] {
  const more = findings.length - SHOWN;
  return [
    ...findings.slice(0, SHOWN).map(findingLine),
    ...(more > 0 ? [`and ${more} more`] : []),
    ...(level === 'error' ? [repair, note].filter((line) => line !== undefined) : []),
  ];
}

function annotation(command: 'error' | 'warning', file: string, title: string, lines: readonly string[]): string {
  const message = lines.map(escapeData).join('%0A');
  return `::${command} file=${escapeProperty(workspacePath(file))},title=${escapeProperty(title)}::${message}`;
}

/** The runner decodes these characters. */
function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
