import type { FoldedSite, FoldReport } from '../freezing/fold_report.js';
import { foldReasonText, isHelpedByDuplicates } from '../freezing/fold_wording.js';
import { countText, plural } from '../freezing/text.js';
import { type ReportStyle, type Row, reportText, type Written } from './report.js';

const ACTIONS: Readonly<Record<FoldedSite['action'], string>> = {
  previous: 'folded into the preceding op',
  next: 'folded into the following op',
  arithmetic: 'became Mul and Add',
  kept: 'kept',
};

/** How many sites are shown with their reasons without -v. */
const SHOWN = 6;

/** The report of freeze, plus the result for each batch norm and what folding saves. */
export function foldReportText(report: FoldReport, written: Written, style: ReportStyle): string {
  const rows: Row[] = [
    ['folded', siteLines(report.folded, style)],
    ['cost', costLines(report)],
  ];
  return reportText(report, written, style, rows);
}

function siteLines(sites: readonly FoldedSite[], { verbose }: ReportStyle): string[] {
  if (sites.length === 0) return ['no batch norm to fold'];
  const lines: string[] = [];
  for (const [action, text] of Object.entries(ACTIONS)) {
    const group = sites.filter((site) => site.action === action);
    if (group.length === 0) continue;
    lines.push(`${text}: ${countText(group.length)}`);
    const isReason = action === 'arithmetic' || action === 'kept';
    const shown = verbose ? group : isReason ? group.slice(0, SHOWN) : [];
    lines.push(...shown.map((site) => `  ${site.name} (${site.pattern}): ${siteText(site)}`));
    if (isReason && shown.length < group.length) lines.push(`  and ${group.length - shown.length} more (-v)`);
  }
  return lines;
}

/** What a site was folded into, or why it was not folded. */
function siteText({ action, into, reasons }: FoldedSite): string {
  if (reasons.length > 0) return reasons.map(reasonText).join('; ');
  if (action === 'arithmetic') return `became ${into.join(' and ') || 'nothing'}`;
  return `folded into ${into.join(', ')}`;
}

function reasonText(reason: FoldedSite['reasons'][number]): string {
  if (reason.code === 'kept_by_option') return 'kept by --keep';
  const help = isHelpedByDuplicates(reason) ? ' (--duplicate-weights copies the kernel)' : '';
  return `${foldReasonText(reason)}${help}`;
}

function costLines({ cost: { before, after } }: FoldReport): string[] {
  const total = (ops: Readonly<Record<string, number>>) => Object.values(ops).reduce((sum, count) => sum + count, 0);
  const [was, is] = [total(before.ops), total(after.ops)];
  const fewer = before.multiplications - after.multiplications;
  const percent = before.multiplications > 0 ? ((100 * fewer) / before.multiplications).toFixed(1) : '0.0';
  const changes = Object.keys({ ...before.ops, ...after.ops }).sort();
  const differing = changes.filter((op) => (before.ops[op] ?? 0) !== (after.ops[op] ?? 0));
  return [
    `${plural(was, 'op')} with arithmetic before, ${countText(is)} after`,
    ...(differing.length > 0
      ? [`  ${differing.map((op) => `${op} ${before.ops[op] ?? 0} -> ${after.ops[op] ?? 0}`).join(', ')}`]
      : []),
    `${countText(before.multiplications)} multiplications before, ${countText(after.multiplications)} after ` +
      `(${percent}% fewer; for one example, unknown sizes count as 1)`,
  ];
}
