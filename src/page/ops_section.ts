import type { OpCount } from '../diagnosis/inspection.js';
import { countText } from '../freezing/text.js';
import { html, type Markup } from './markup.js';
import type { PageData } from './page_data.js';

/** An op with its numbers of nodes. */
interface Row {
  readonly op: string;
  readonly before: number;
  readonly after: number;
}

/** How often each op occurs: before, and after. */
export function opsSection({ inspection, result }: PageData): Markup {
  const rows = result
    ? compared(inspection.ops, result.ops)
    : inspection.ops.map(({ op, count }) => ({ op, before: count, after: count }));
  const most = Math.max(...rows.map(({ before, after }) => Math.max(before, after)));
  const title = result ? 'Ops before and after' : 'Ops';
  const heads = result ? ['before', 'after', 'change'] : ['nodes'];
  return html`<section id="ops" aria-labelledby="ops-title">
<h2 id="ops-title">${title} <small>${countText(rows.length)}</small></h2>
<div class="scroll" role="region" tabindex="0" aria-label="Table of ops">
<table class="ops" data-sortable><thead><tr><th scope="col">Op</th>${heads.map((head) => html`<th scope="col" class="number">${head[0]!.toUpperCase() + head.slice(1)}</th>`)}<td></td></tr></thead>
<tbody>${rows.map((row) => opRow(row, most, result !== undefined))}</tbody></table>
</div>
${rows.length > 14 ? html`<button type="button" class="more scripted">Show all ${rows.length} ops</button>` : ''}
</section>
`;
}

function compared(before: readonly OpCount[], after: readonly OpCount[]): Row[] {
  const rows = new Map<string, Row>();
  for (const { op, count } of before) rows.set(op, { op, before: count, after: 0 });
  for (const { op, count } of after) rows.set(op, { op, before: rows.get(op)?.before ?? 0, after: count });
  return [...rows.values()].sort((a, b) => Math.abs(b.after - b.before) - Math.abs(a.after - a.before));
}

function opRow({ op, before, after }: Row, most: number, hasResult: boolean): Markup {
  const number = (value: number, text = countText(value)) =>
    html`<td class="number" data-order="${value}">${text}</td>`;
  const bars = html`<svg viewBox="0 0 100 ${hasResult ? 10 : 6}" preserveAspectRatio="none" aria-hidden="true">${bar('was', 0, before, most)}${hasResult && bar('now', 5, after, most)}</svg>`;
  const change = after - before;
  const sign = change > 0 ? '+' : change < 0 ? '\u2212' : '';
  const cells = hasResult
    ? [number(before), number(after), number(change, `${sign}${countText(Math.abs(change))}`)]
    : [number(before)];
  return html`<tr><th scope="row">${op}</th>${cells}<td class="bars">${bars}</td></tr>
`;
}

function bar(name: string, y: number, value: number, most: number): Markup {
  return html`<rect class="${name}" y="${y}" width="${(100 * value) / most}" height="4"/>`;
}
