// Line charts as SVG, on logarithmic axes.

const WIDTH = 720;
const HEIGHT = 400;
const MARGIN = { left: 70, right: 190, top: 50, bottom: 50 };
const COLORS = ['#0b6e99', '#c0392b', '#27864a', '#8e44ad', '#7f8c8d', '#d68910'];

const escaped = (text) => String(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/**
 * @param series - { name, points: [x, y][], dashed }
 * @param bound - { y, text }: a line that should not be crossed
 */
export function lineChart({ title, xLabel, yLabel, series, bound, xText = String, yText = String }) {
  const points = series.flatMap((each) => each.points);
  const x = scale(
    points.map(([value]) => value),
    MARGIN.left,
    WIDTH - MARGIN.right,
  );
  const y = scale(
    [...points.map(([, value]) => value), ...(bound ? [bound.y] : [])],
    HEIGHT - MARGIN.bottom,
    MARGIN.top,
  );
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${MARGIN.left}" y="26" font-size="16" font-weight="bold">${escaped(title)}</text>`,
    `<text x="${(MARGIN.left + WIDTH - MARGIN.right) / 2}" y="${HEIGHT - 10}" text-anchor="middle">${escaped(xLabel)}</text>`,
    `<text x="18" y="${HEIGHT / 2}" text-anchor="middle" transform="rotate(-90 18 ${HEIGHT / 2})">${escaped(yLabel)}</text>`,
  ];
  for (const value of y.ticks) {
    const at = y.of(value).toFixed(1);
    parts.push(`<path d="M${MARGIN.left} ${at}H${WIDTH - MARGIN.right}" stroke="#ddd"/>`);
    parts.push(`<text x="${MARGIN.left - 6}" y="${Number(at) + 4}" text-anchor="end">${escaped(yText(value))}</text>`);
  }
  for (const value of [...new Set(points.map(([each]) => each))]) {
    const at = x.of(value).toFixed(1);
    parts.push(
      `<text x="${at}" y="${HEIGHT - MARGIN.bottom + 18}" text-anchor="middle">${escaped(xText(value))}</text>`,
    );
  }
  if (bound) {
    const at = y.of(bound.y).toFixed(1);
    parts.push(`<path d="M${MARGIN.left} ${at}H${WIDTH - MARGIN.right}" stroke="#000" stroke-dasharray="2 3"/>`);
    parts.push(`<text x="${WIDTH - MARGIN.right + 8}" y="${Number(at) + 4}">${escaped(bound.text)}</text>`);
  }
  const labels = series.map(({ points: own }) => y.of(own.at(-1)[1]));
  const placed = apart(labels, 15, bound ? [y.of(bound.y)] : []);
  for (const [i, { name, points: own, dashed }] of series.entries()) {
    const color = COLORS[i % COLORS.length];
    const path = own
      .map(([px, py], n) => `${n === 0 ? 'M' : 'L'}${x.of(px).toFixed(1)} ${y.of(py).toFixed(1)}`)
      .join('');
    const dash = dashed ? ' stroke-dasharray="6 4"' : '';
    parts.push(`<path d="${path}" fill="none" stroke="${color}" stroke-width="2"${dash}/>`);
    for (const [px, py] of own)
      parts.push(`<circle cx="${x.of(px).toFixed(1)}" cy="${y.of(py).toFixed(1)}" r="3" fill="${color}"/>`);
    parts.push(
      `<text x="${x.of(own.at(-1)[0]) + 8}" y="${(placed[i] + 4).toFixed(1)}" fill="${color}">${escaped(name)}</text>`,
    );
  }
  return `${[...parts, '</svg>'].join('\n')}\n`;
}

/** A logarithmic axis, and ticks at 1, 2 and 5 times powers of ten. */
function scale(values, from, to) {
  const [low, high] = [Math.min(...values) / 1.2, Math.max(...values) * 1.2];
  const of = (value) => from + ((to - from) * Math.log(value / low)) / Math.log(high / low);
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    const steps = high / low > 1000 ? [1] : [1, 2, 5];
    ticks.push(...steps.map((step) => step * 10 ** power).filter((tick) => tick >= low && tick <= high));
  }
  return { of, ticks: ticks.map((tick) => Number(tick.toPrecision(3))) };
}

/** Heights for labels, so that they overlap neither each other nor what is taken. */
function apart(heights, distance, taken) {
  const placed = [];
  for (const [i] of [...heights.entries()].sort(([, a], [, b]) => b - a)) {
    const others = () => [...taken, ...placed.filter((height) => height !== undefined)];
    let at = heights[i];
    while (others().some((other) => Math.abs(other - at) < distance)) at -= 1;
    placed[i] = at;
  }
  return placed;
}
