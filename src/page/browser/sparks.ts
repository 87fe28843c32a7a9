import type { LayerCharts, Part } from '../script_data.js';
import { type Bars, barsOf } from './bars.js';
import { shape } from './elements.js';

const HEIGHT = 20;

/** Draws the small histograms of a row. */
export function drawSparks(row: Element, charts: LayerCharts): void {
  for (const spark of row.querySelectorAll<HTMLElement>('.spark')) {
    const bins = charts[spark.dataset.part as Part];
    const bars = bins && barsOf(bins);
    if (bars) spark.append(sparkOf(bars));
  }
}

function sparkOf({ counts }: Bars): SVGElement {
  const most = Math.max(...counts);
  const bars = counts.map((count, i) => {
    // A single value must not vanish beside a thousand.
    const height = count === 0 ? 0 : Math.max(1, Math.round((HEIGHT * count) / most));
    return `M${i} ${HEIGHT}v${-height}h1v${height}`;
  });
  const box = `0 0 ${counts.length} ${HEIGHT}`;
  const attributes = { viewBox: box, preserveAspectRatio: 'none', 'aria-hidden': 'true' };
  return shape('svg', attributes, shape('path', { d: bars.join('') }));
}
