import { button, byId } from './elements.js';

/** A row of the table of batch norms, as far as the filter is concerned. */
export interface Filtered {
  readonly body: HTMLElement;
  /** What is searched, in lower case. */
  readonly text: string;
  /** Its mode, its result. */
  readonly labels: readonly string[];
}

/** Shows the rows that contain a text and have one of the chosen labels. */
export function startFilter(rows: readonly Filtered[]): void {
  const input = byId<HTMLInputElement>('filter');
  const chosen = new Set<string>();
  const show = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const { body, text, labels } of rows) {
      const isShown = words.every((word) => text.includes(word)) && hasChosen(labels, chosen);
      body.hidden = !isShown;
      shown += Number(isShown);
    }
    byId('shown').textContent = shown === rows.length ? '' : `${shown} of ${rows.length} shown`;
  };
  input.addEventListener('input', show);
  const counts = new Map<string, number>();
  for (const label of rows.flatMap(({ labels }) => labels)) counts.set(label, (counts.get(label) ?? 0) + 1);
  // A label that all rows have chooses nothing.
  const useful = [...counts].filter(([, count]) => count < rows.length);
  byId('chips').append(
    ...useful.map(([label, count]) => {
      const chip = button(`${label} ${count}`, () => {
        const isChosen = !chosen.delete(label);
        if (isChosen) chosen.add(label);
        chip.setAttribute('aria-pressed', String(isChosen));
        show();
      });
      chip.setAttribute('aria-pressed', 'false');
      return chip;
    }),
  );
}

function hasChosen(labels: readonly string[], chosen: ReadonlySet<string>): boolean {
  return chosen.size === 0 || labels.some((label) => chosen.has(label));
}
