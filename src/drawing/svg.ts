import { withEntities } from '../entities.js';
import { type Drawing, type DrawnGroup, ROLES, type Role } from './drawing.js';
import { type GroupText, groupText, LINE } from './group_text.js';
import { type Layout, layOut, type Point } from './layout.js';

/** What is written above a drawing. */
export interface Caption {
  /** The model. Printable. */
  readonly title: string;
  /** The verdict in a sentence. Printable. */
  readonly text: string;
}

const ROLE_TEXTS: Readonly<Record<Role, string>> = {
  training: 'uses batch statistics',
  switched: 'a flag decides',
  repaired: 'repaired',
  folded: 'folded',
  inference: 'uses stored statistics',
  other: 'no batch norm',
};

/** Space around everything, and the height of the caption with the legend. */
const [MARGIN, CAPTION] = [24, 84];

/** The colours of a drawing. */
interface Palette extends Readonly<Record<Role, string>> {
  readonly page: string;
  readonly text: string;
  readonly dim: string;
  readonly box: string;
  readonly edge: string;
}

const LIGHT: Palette = {
  page: '#fff',
  text: '#1b1f24',
  dim: '#57606a',
  box: '#f6f8fa',
  edge: '#afb8c1',
  training: '#cf222e',
  switched: '#bf8700',
  repaired: '#1a7f37',
  folded: '#0969da',
  inference: '#0f766e',
  other: '#8c959f',
};

const DARK: Palette = {
  page: '#0d1117',
  text: '#e6edf3',
  dim: '#9198a1',
  box: '#161b22',
  edge: '#3d444d',
  training: '#ff7b72',
  switched: '#e3b341',
  repaired: '#56d364',
  folded: '#79c0ff',
  inference: '#2dd4bf',
  other: '#656c76',
};

/** Without variables, which programs other than browsers do not know. */
function coloursOf(palette: Palette): string {
  const roles = ROLES.map((role) => `.${role} .box{stroke:${palette[role]}}.${role} .bar{fill:${palette[role]}}`);
  return [
    `.page{fill:${palette.page}}text{fill:${palette.text}}.dim{fill:${palette.dim}}`,
    `.box{fill:${palette.box}}.edge{stroke:${palette.edge}}.tip{fill:${palette.edge}}`,
    ...roles,
  ].join('\n');
}

const STYLE = `
text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
.title{font-size:16px;font-weight:600}
.name{font-weight:600}
.dim{font-size:11px}
.edge{fill:none;stroke-width:1.5}
.input .box,.output .box{stroke-dasharray:4 3}
.training .box{stroke-width:2}
${coloursOf(LIGHT)}
@media (prefers-color-scheme: dark){
${coloursOf(DARK)}
}
@media print{
${coloursOf(LIGHT)}
}
`;

/**
 * A drawing as SVG: one file without scripts and external references, for light and dark pages. Every text is escaped.
 * @throws BnfixError `internal` when Graphviz fails
 */
export async function drawSvg(drawing: Drawing, caption: Caption): Promise<string> {
  const outputs = new Map(drawing.edges.map((edge) => [edge.from, edge]));
  const texts = drawing.groups.map((group) => groupText(group, outputs.get(group.id)));
  return svgText(drawing, texts, await layOut(drawing, texts), caption);
}

function svgText({ groups }: Drawing, texts: readonly GroupText[], layout: Layout, { title, text }: Caption): string {
  const legend = legendOf(groups);
  const width = Math.ceil(Math.max(layout.width, legend.width, 8 * Math.max(title.length, text.length)) + 2 * MARGIN);
  const height = Math.ceil(layout.height + CAPTION + 2 * MARGIN);
  const shift = (width - 2 * MARGIN - layout.width) / 2;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title desc">`,
    `<title id="title">${escaped(title)}</title>`,
    `<desc id="desc">${escaped(text)}</desc>`,
    `<style>${STYLE}</style>`,
    `<rect class="page" width="100%" height="100%"/>`,
    `<text class="title" x="${MARGIN}" y="${MARGIN + 14}">${escaped(title)}</text>`,
    `<text x="${MARGIN}" y="${MARGIN + 36}">${escaped(text)}</text>`,
    `<g transform="translate(${MARGIN} ${MARGIN + 50})">${legend.svg}</g>`,
    `<g transform="translate(${MARGIN + shift} ${MARGIN + CAPTION})">`,
    ...layout.edges.map(edgeSvg),
    ...groups.map((group, i) => groupSvg(group, texts[i]!, layout.groups[i]!)),
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

/** What the colours mean: those that occur. */
function legendOf(groups: readonly DrawnGroup[]): { svg: string; width: number } {
  const occurring = new Set(groups.map(({ role }) => role));
  let x = 0;
  const parts = ROLES.filter((role) => occurring.has(role)).map((role) => {
    const text = ROLE_TEXTS[role];
    const svg = `<g class="${role}"><rect class="bar" x="${x}" y="0" width="12" height="12" rx="3"/><text class="dim" x="${x + 18}" y="10">${escaped(text)}</text></g>`;
    x += 18 + 5.8 * text.length + 20;
    return svg;
  });
  return { svg: parts.join(''), width: x };
}

function edgeSvg({ curve, tip }: Layout['edges'][number]): string {
  const [start, ...controls] = curve;
  if (!start) return '';
  const path = `M${at(start)}C${controls.map(at).join(' ')}`;
  return `<path class="edge" d="${path}"/>${tip ? arrowSvg(controls.at(-1) ?? start, tip) : ''}`;
}

/** A triangle from the end of a curve to the tip. */
function arrowSvg(end: Point, tip: Point): string {
  const [x, y] = [tip.x - end.x, tip.y - end.y];
  const half = 0.4;
  const left = { x: end.x - half * y, y: end.y + half * x };
  const right = { x: end.x + half * y, y: end.y - half * x };
  return `<path class="tip" d="M${at(left)}L${at(tip)}L${at(right)}Z"/>`;
}

function groupSvg({ id, kind, role }: DrawnGroup, { lines, title, width, height }: GroupText, centre: Point): string {
  const [x, y] = [centre.x - width / 2, centre.y - height / 2];
  const texts = lines.map(
    (line, i) =>
      `<text class="${i === 0 ? 'name' : 'dim'}" x="${number(x + 13)}" y="${number(y + 18 + i * LINE)}">${escaped(line)}</text>`,
  );
  return [
    `<g id="${id}" class="${kind} ${role}"><title>${escaped(title)}</title>`,
    `<rect class="box" x="${number(x)}" y="${number(y)}" width="${width}" height="${height}" rx="6"/>`,
    `<rect class="bar" x="${number(x)}" y="${number(y)}" width="6" height="${height}" rx="3"/>`,
    `${texts.join('')}</g>`,
  ].join('');
}

function at({ x, y }: Point): string {
  return `${number(x)},${number(y)}`;
}

function number(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** A text within markup. XML has no way to write the last two characters. */
function escaped(text: string): string {
  return withEntities(text).replace(/[\ufffe\uffff]/g, '\ufffd');
}
