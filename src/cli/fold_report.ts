import type { FoldedSite, FoldReport } from '../freezing/fold_report.js';
import { foldReasonText, isHelpedByDuplicates } from '../freezing/fold_wording.js';
import type { TensorInfo } from '../freezing/report.js';
import { countText, plural } from '../freezing/text.js';
import { labelled, shortened, wrapped } from './layout.js';
import { type MoreSections, reportText, type Section, type Written } from './report.js';
import type { ReportStyle } from './report_style.js';
import { beforeAfter } from './size_table.js';

/** The report of freeze, plus the result for each batch norm and what folding saves. */
export function foldReportText(
  report: FoldReport,
  written: Written,
  style: ReportStyle,
  sections: MoreSections = {},
): string[] {
  const more = [foldedSection(report.folded, style), costSection(report, style)];
  return reportText(report, written, style, { ...sections, more });
}

/** What became of the sites: those that were not folded into an op are named with the reason. */
function foldedSection(sites: readonly FoldedSite[], style: ReportStyle): Section {
  const { symbols, width, verbose } = style;
  const batchNorms = sites.filter(({ pattern }) => pattern !== 'arithmetic');
  const others = sites.filter(({ pattern }) => pattern === 'arithmetic');
  const lines: string[] = [];
  const add = (symbol: string, text: string) => lines.push(...labelled(`${symbol} `, text, width));
  if (batchNorms.length === 0) add(symbols.done, 'No batch norm to fold.');
  const into = batchNorms.filter(({ action }) => action === 'previous' || action === 'next');
  if (into.length > 0) {
    const count =
      batchNorms.length === 1
        ? 'the batch norm'
        : `${countText(into.length)} of ${plural(batchNorms.length, 'batch norm')}`;
    add(symbols.done, `Folded ${count} into the weights of neighbouring ops.`);
    if (verbose) lines.push(...siteLines(into, style));
  }
  for (const [action, text] of [
    ['arithmetic', 'became Mul and Add, since not foldable into a neighbour'],
    ['kept', 'not folded'],
  ] as const) {
    const group = batchNorms.filter((site) => site.action === action);
    if (group.length === 0) continue;
    add(symbols.warning, `${plural(group.length, 'batch norm')} ${text}:`);
    lines.push(...siteLines(group, style));
  }
  if (others.length > 0) {
    add(symbols.done, `Simplified ${plural(others.length, 'product')} with constants${verbose ? ':' : ' (-v)'}`);
    if (verbose) lines.push(...siteLines(others, style));
  }
  return lines;
}

function siteLines(sites: readonly FoldedSite[], { width, verbose }: ReportStyle): string[] {
  const { shown, more } = shortened(sites, verbose);
  const lines = shown.flatMap((site) => [
    `  ${site.name} (${site.pattern})`,
    ...wrapped(siteText(site), width - 4).map((line) => `    ${line}`),
  ]);
  return more > 0 ? [...lines, `  and ${more} more (-v)`] : lines;
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

function costSection({ cost: { before, after }, inputs }: FoldReport, style: ReportStyle): Section {
  const total = (ops: Readonly<Record<string, number>>) => Object.values(ops).reduce((sum, count) => sum + count, 0);
  const names = Object.keys({ ...before.ops, ...after.ops }).sort();
  const changed = names.flatMap((op) => {
    const counts = { before: before.ops[op] ?? 0, after: after.ops[op] ?? 0 };
    return counts.before === counts.after ? [] : [{ label: `  ${op}`, ...counts }];
  });
  const multiplications = {
    label: 'multiplications',
    before: before.multiplications,
    after: after.multiplications,
    inPercent: true,
    note: 'for one example',
  };
  return beforeAfter(
    [
      { label: 'ops with arithmetic', before: total(before.ops), after: total(after.ops) },
      ...changed,
      ...(inputs.every(isKnownForOneExample) ? [multiplications] : []),
    ],
    style,
  );
}

/** Whether all sizes but that of the batch are known. */
function isKnownForOneExample({ shape }: TensorInfo): boolean {
  return shape?.slice(1).every((size) => size >= 0) ?? false;
}
