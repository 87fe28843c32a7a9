import { countText, plural } from '../freezing/text.js';
import { chip } from './chip.js';
import type { Layer } from './layers.js';
import { type Content, html, type Markup, nameMarkup } from './markup.js';
import {
  foundText,
  layerNotes,
  modeLabel,
  numberText,
  PART_TITLES,
  problemLabel,
  rangeText,
  resultLabel,
} from './prose.js';
import { PARTS, type Part } from './script_data.js';

/** A column of the table. */
interface Column {
  readonly title: string;
  /** What the column is, where the title does not say it. */
  readonly help?: string;
  /** Columns that a narrow screen leaves out: the details have them. */
  readonly isWide?: boolean;
  readonly isNumber?: boolean;
  /** What rows are sorted by; the text of the cell if undefined. */
  readonly order?: (layer: Layer) => number | undefined;
  readonly cell: (layer: Layer) => Content;
}

const MODE: Column = {
  title: 'Mode',
  help: 'as saved',
  cell: (layer) => [modeLabel(layer), problemLabel(layer)].map((label) => label && html`${chip(label)} `),
};
const RESULT: Column = { title: 'Result', cell: (layer) => chip(resultLabel(layer)) };

const partColumn = (part: Part, order: Column['order'], help: string): Column => ({
  title: PART_TITLES[part],
  help,
  isNumber: true,
  ...(order && { order }),
  cell: (layer) => {
    const range = rangeText(layer.before[part]);
    return range === '' ? '' : html`<span class="spark" data-part="${part}"></span><span class="range">${range}</span>`;
  },
});

const largestSize = ({ min, max }: { min?: number | undefined; max?: number | undefined } = {}) =>
  min === undefined || max === undefined ? undefined : Math.max(Math.abs(min), Math.abs(max));

const STATISTICS: readonly Column[] = [
  { title: 'Channels', isNumber: true, order: ({ before }) => before.channels, cell: ({ before }) => before.channels },
  {
    title: 'Epsilon',
    isNumber: true,
    isWide: true,
    order: ({ before }) => before.epsilon,
    cell: ({ before: { epsilon } }) => epsilon !== undefined && numberText(epsilon),
  },
  partColumn('mean', ({ before }) => largestSize(before.mean), 'sorted by the largest absolute value'),
  partColumn('variance', ({ before }) => before.variance?.min, 'sorted by the smallest value'),
  partColumn(
    'scale',
    ({ before }) => largestSize(before.scale),
    'gamma / sqrt(variance + epsilon), sorted by the largest absolute value',
  ),
  {
    title: 'Dead channels',
    isNumber: true,
    isWide: true,
    order: ({ before }) => before.deadChannels?.length,
    cell: ({ before }) => before.deadChannels?.length,
  },
];

/** The table of batch norms; the script of the page makes it sortable and draws the histograms. */
export function batchNormSection(layers: readonly Layer[], hasResult: boolean): Markup {
  if (layers.length === 0) return html``;
  const columns = [MODE, ...(hasResult ? [RESULT] : []), ...STATISTICS];
  return html`<section id="batch-norms" aria-labelledby="batch-norms-title">
<h2 id="batch-norms-title">Batch norms <small>${countText(layers.length)}</small></h2>
<div class="tools scripted">
<label>Filter <input type="search" id="filter" placeholder="name, mode, evidence" autocomplete="off" spellcheck="false"></label>
<div class="chips" id="chips" role="group" aria-label="Show only"></div>
<span id="shown" role="status"></span>
</div>
<div class="scroll" role="region" tabindex="0" aria-label="Table of batch norms">
<table id="layers" class="layers">
<thead><tr>${[{ title: 'Batch norm' }, ...columns].map(header)}</tr></thead>
${layers.map((layer) => row(layer, columns))}
</table>
</div>
</section>
`;
}

function header({ title, help, isNumber, isWide }: Partial<Column> & { readonly title: string }): Markup {
  const label = title[0]!.toUpperCase() + title.slice(1);
  return html`<th scope="col" class="${classes({ number: isNumber, wide: isWide })}"${help === undefined ? '' : html` title="${help}"`}>${label}</th>`;
}

function classes(names: Readonly<Record<string, boolean | undefined>>): string {
  return Object.keys(names)
    .filter((name) => names[name])
    .join(' ');
}

/** Each batch norm is a body of its own, with a row of figures and one of details. */
function row(layer: Layer, columns: readonly Column[]): Markup {
  const { before, shortName } = layer;
  const cells = columns.map((column) => {
    const order = column.order?.(layer);
    return html`<td class="${classes({ number: column.isNumber, wide: column.isWide })}"${order === undefined ? '' : html` data-order="${order}"`}>${column.cell(layer)}</td>`;
  });
  return html`<tbody><tr><th scope="row"><span class="name">${nameMarkup(shortName)}</span><small>${before.pattern}</small></th>${cells}</tr>
<tr class="details" hidden><td colspan="${columns.length + 1}">${details(layer)}</td></tr></tbody>
`;
}

function details(layer: Layer): Markup {
  const { before } = layer;
  const { deadChannels = [], statistics } = before;
  const dead = deadChannels.length > 100 ? `${deadChannels.slice(0, 100).join(', ')} ...` : deadChannels.join(', ');
  const facts: readonly (readonly [string, Content])[] = [
    ['node', code(before.name)],
    ['input', code(before.input)],
    ['feeds', before.feeds.length === 0 ? 'no output' : html`${before.feeds.map((name) => html`${code(name)} `)}`],
    ['statistics found by', foundText(layer)],
    ['flags', before.flags.map((name) => html`${code(name)} `)],
    ['moving mean', code(statistics?.mean)],
    ['moving variance', code(statistics?.variance)],
    ['gamma', code(before.gamma)],
    ['beta', code(before.beta)],
    ['epsilon', before.epsilon],
    ['decay', before.decay],
    ['dead channels', deadChannels.length > 0 && html`${plural(deadChannels.length, 'channel')}: ${dead}`],
  ];
  const shown = facts.filter(([, value]) => value !== undefined && value !== false && !isEmpty(value));
  return html`<div class="inner"><div class="charts"></div>
${layerNotes(layer).map((text) => html`<p>${text}</p>`)}
<dl class="facts">${shown.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
${PARTS.every((part) => before[part] === undefined) ? html`<p>No values: the checkpoint has none, or none was found.</p>` : ''}</div>`;
}

function isEmpty(value: Content): boolean {
  return value === '' || (Array.isArray(value) && value.length === 0);
}

function code(name: string | undefined): Markup | undefined {
  return name === undefined ? undefined : html`<bdi><code>${name}</code></bdi>`;
}
