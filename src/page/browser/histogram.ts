import uPlot from 'uplot';
import type { Bins } from '../script_data.js';
import { barsOf } from './bars.js';
import { element } from './elements.js';
import { onTheme } from './theme.js';

const HEIGHT = 190;
const FONT = '12px system-ui, sans-serif';

/** A histogram with axes; below it, the values under the pointer. It is as wide as its parent. */
export function drawHistogram(parent: HTMLElement, title: string, bins: Bins): void {
  const bars = barsOf(bins);
  if (!bars) return;
  const { start, width, counts } = bars;
  const isSingle = counts.length !== bins.counts.length || bins.from === bins.to;
  const figure = element('figure', { class: 'histogram' });
  parent.append(figure);
  const place = element('div', { role: 'img', 'aria-label': `${title}: ${summary(bins)}` });
  const reading = element('p', { class: 'reading' });
  figure.append(element('figcaption', {}, title), place, reading);
  const show = (bin: number | null | undefined) => {
    const isBin = bin !== null && bin !== undefined && !isSingle;
    const [low, high] = isBin ? [edges[bin]!, edges[bin]! + width] : [bins.from, bins.to];
    const count = isBin ? `: ${counts[bin]} channels` : '';
    reading.textContent = isSingle ? `all ${tickText(bins.from)}` : `${tickText(low)} to ${tickText(high)}${count}`;
  };
  const edges = counts.map((_, i) => start + i * width);
  // The style of the place has the colours: of text, lines and bars.
  const colors = getComputedStyle(place);
  const axis = {
    stroke: () => colors.color,
    font: FONT,
    ticks: { show: false },
    grid: { stroke: () => colors.borderTopColor, width: 1 },
  };
  const plot = new uPlot(
    {
      width: figure.clientWidth || 300,
      height: HEIGHT,
      scales: {
        x: { time: false, range: [start, start + counts.length * width] },
        y: { range: (_, __, max) => [0, max * 1.05] },
      },
      axes: [
        { ...axis, grid: { show: false }, size: 28, values: (_, ticks) => ticks.map(tickText) },
        { ...axis, size: 40, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 100000, 1000000] },
      ],
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      legend: { show: false },
      hooks: { setCursor: [({ cursor }) => show(cursor.idx)] },
      series: [
        {},
        {
          fill: () => colors.fill,
          paths: uPlot.paths.bars!({ size: [1], align: 1, gap: 1 }),
          points: { show: false },
        },
      ],
    },
    [edges, [...counts]],
    place,
  );
  show(undefined);
  onTheme(() => plot.redraw(false));
  new ResizeObserver(() => {
    if (figure.clientWidth > 0 && figure.clientWidth !== plot.width)
      plot.setSize({ width: figure.clientWidth, height: HEIGHT });
  }).observe(figure);
}

function summary({ from, to, counts }: Bins): string {
  const all = counts.reduce((sum, count) => sum + count, 0);
  const most = counts.indexOf(Math.max(...counts));
  const at = from + ((most + 0.5) * (to - from)) / counts.length;
  return `histogram of ${all} channels from ${tickText(from)} to ${tickText(to)}, most of them near ${tickText(at)}`;
}

function tickText(value: number): string {
  return String(Number(value.toPrecision(3))).replace('-', '\u2212');
}
