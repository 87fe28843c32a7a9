import { type LayerCharts, PARTS, type ScriptData } from '../script_data.js';
import { button, element } from './elements.js';
import { startFilter } from './filter.js';
import { drawHistogram } from './histogram.js';
import { makeSortable } from './sort.js';
import { drawSparks } from './sparks.js';

const TITLES = { mean: 'Moving mean', variance: 'Moving variance', scale: 'Effective scale' } as const;

/** The table of batch norms, in the order of the data. @param reveal - shows a node in the graph */
export function startLayers({ layers, graph }: ScriptData, reveal: (node: number) => void): void {
  const table = document.getElementById('layers') as HTMLTableElement | null;
  if (!table) return;
  const bodies = [...table.tBodies];
  for (const [i, body] of bodies.entries()) {
    const node = graph.layers[i];
    startLayer(body, layers[i]!, typeof node === 'number' ? () => reveal(node) : undefined);
  }
  makeSortable({
    table,
    rows: () => [...table.tBodies],
    cellOf: (body, column) => (body as HTMLTableSectionElement).rows[0]?.cells[column],
    place: (rows) => table.append(...rows),
  });
  startFilter(
    bodies.map((body) => ({
      body,
      text: body.textContent.toLowerCase(),
      labels: [...body.querySelectorAll('.chip')].map((chip) => chip.textContent),
    })),
  );
}

function startLayer(body: HTMLTableSectionElement, charts: LayerCharts, reveal: (() => void) | undefined): void {
  const [row, details] = [...body.rows] as [HTMLTableRowElement, HTMLTableRowElement];
  drawSparks(row, charts);
  const name = row.querySelector('.name')!;
  const opener = button('', () => toggle(), { class: 'opener', 'aria-expanded': 'false' });
  name.replaceWith(opener);
  opener.append(name);
  if (reveal) details.querySelector('.inner')!.append(element('p', {}, button('Show in the graph', reveal)));
  const toggle = () => {
    details.hidden = !details.hidden;
    opener.setAttribute('aria-expanded', String(!details.hidden));
    const place = details.querySelector<HTMLElement>('.charts')!;
    if (place.childElementCount > 0) return;
    for (const part of PARTS) {
      const bins = charts[part];
      if (bins) drawHistogram(place, TITLES[part], bins);
    }
  };
}

/** Tables that are sorted row by row, and shown in part at first. */
export function startTables(): void {
  for (const table of document.querySelectorAll<HTMLTableElement>('table[data-sortable]')) {
    const body = table.tBodies[0]!;
    makeSortable({
      table,
      rows: () => [...body.rows],
      cellOf: (row, column) => (row as HTMLTableRowElement).cells[column],
      place: (rows) => body.append(...rows),
    });
    const more = table.closest('section')?.querySelector('.more');
    more?.addEventListener('click', () => {
      table.classList.add('all');
      more.remove();
    });
    if (!more) table.classList.add('all');
  }
}
