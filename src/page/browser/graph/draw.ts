import { printable } from '../../../printable.js';
import type { Mark } from '../../script_data.js';
import { shape } from '../elements.js';
import { LABEL_LETTERS, type Line, type Picture, type Placed, type Point, TITLE_HEIGHT } from './layout.js';
import type { GraphModel } from './model.js';
import type { Box } from './tree.js';

/** A box as it was drawn: its element, and where its centre is. */
export interface Drawn extends Point {
  readonly box: Box;
  readonly element: SVGGElement;
  readonly width: number;
  readonly height: number;
  readonly isOpen: boolean;
}

/** Draws a picture and all pictures in it. @returns the boxes, outer ones first */
export function draw(
  into: SVGGElement,
  picture: Picture,
  model: GraphModel,
  texts: Readonly<Record<Mark, string>>,
): Drawn[] {
  const drawn: Drawn[] = [];
  const visit = (each: Picture, left: number, top: number) => {
    // Lines are below the boxes that they lead to, above the box that they are in.
    into.append(...each.lines.map((line) => lineShape(line, left, top)));
    for (const placed of each.placed) {
      const [x, y] = [left + placed.x, top + placed.y];
      const element = boxShape(placed, x, y, model, texts);
      into.append(element);
      const { box, width, height, inner } = placed;
      drawn.push({ box, element, x, y, width, height, isOpen: inner !== undefined });
      if (inner) visit(inner, x - inner.width / 2, y - height / 2 + TITLE_HEIGHT);
    }
  };
  visit(picture, 0, 0);
  return drawn;
}

function lineShape({ points, count, hasTarget }: Line, left: number, top: number): SVGElement {
  const [first, ...rest] = points.map(({ x, y }) => `${round(left + x)} ${round(top + y)}`);
  const middle = (a: Point, b: Point) => `${round(left + (a.x + b.x) / 2)} ${round(top + (a.y + b.y) / 2)}`;
  // A curve through the middle of each section: it has no corners.
  const curves = points.slice(1, -1).map((point, i) => {
    const next = points[i + 2]!;
    const end = i === points.length - 3 ? rest.at(-1)! : middle(point, next);
    return `Q${rest[i]} ${end}`;
  });
  const path = `M${first}${curves.length > 0 ? curves.join('') : `L${rest.at(-1)}`}`;
  const width = Math.min(5, 1 + Math.log2(count) / 2).toFixed(1);
  return shape('path', { class: 'edge', d: path, 'stroke-width': width, 'marker-end': hasTarget && 'url(#arrow)' });
}

function round(value: number): number {
  return Math.round(10 * value) / 10;
}

function boxShape(
  { box, width, height, inner }: Placed,
  x: number,
  y: number,
  model: GraphModel,
  texts: Readonly<Record<Mark, string>>,
): SVGGElement {
  const isNode = box.kind === 'node';
  const mark = isNode ? model.markOf(box.nodes[0]!) : undefined;
  const op = isNode ? model.opOf(box.nodes[0]!) : '';
  const group = shape('g', {
    class: `box ${box.kind} ${inner ? 'open' : ''} ${mark ? `mark-${mark}` : ''} ${isNode && model.isUnused(box.nodes[0]!) ? 'unused' : ''}`,
    transform: `translate(${round(x - width / 2)} ${round(y - height / 2)})`,
    role: 'button',
    tabindex: -1,
    'aria-expanded': isNode ? undefined : String(inner !== undefined),
  });
  // The name for screen readers, and the tooltip.
  group.append(shape('title', {}, labelOf(box, model, mark && texts[mark], texts)));
  group.append(shape('rect', { width, height, rx: isNode ? 4 : 10 }));
  const label = shortened(printable(box.label));
  if (inner) {
    group.append(shape('text', { 'aria-hidden': 'true', x: 12, y: 17, class: 'name' }, `− ${label}`));
    return group;
  }
  const middle = width / 2;
  group.append(
    shape(
      'text',
      { 'aria-hidden': 'true', x: middle, y: 17, class: 'name', 'text-anchor': 'middle' },
      isNode ? label : `+ ${label}`,
    ),
  );
  if (isNode)
    group.append(
      shape(
        'text',
        { 'aria-hidden': 'true', x: middle, y: 32, class: 'op', 'text-anchor': 'middle' },
        shortened(printable(op)),
      ),
    );
  else group.append(...badges(box, width));
  return group;
}

function labelOf(
  { kind, label, nodes, marks }: Box,
  model: GraphModel,
  mark: string | undefined,
  texts: Readonly<Record<Mark, string>>,
): string {
  const [node] = nodes as [number];
  if (kind === 'node')
    return [model.names[node]!, model.opOf(node), mark]
      .filter(Boolean)
      .map((text) => printable(text!))
      .join(', ');
  const counts = [...marks].map(([each, count]) => `${count} ${texts[each]}`);
  return [`${kind} ${printable(label)}`, `${nodes.length} nodes`, ...counts].join(', ');
}

/** The number of nodes in a closed box, and a dot for each kind of mark in it. */
function badges({ nodes, marks }: Box, width: number): SVGElement[] {
  const count = `${nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'}`;
  const total = 6.2 * count.length + 26 * marks.size;
  let at = (width - total) / 2;
  const shapes: SVGElement[] = [shape('text', { 'aria-hidden': 'true', x: at, y: 32, class: 'op' }, count)];
  at += 6.2 * count.length + 10;
  for (const [mark, number] of marks) {
    shapes.push(shape('circle', { class: `dot mark-${mark}`, cx: at, cy: 28.5, r: 4 }));
    shapes.push(shape('text', { 'aria-hidden': 'true', class: 'op', x: at + 6, y: 32 }, String(number)));
    at += 26;
  }
  return shapes;
}

/** A label with its middle left out, since names differ at the ends. */
function shortened(label: string): string {
  if (label.length <= LABEL_LETTERS) return label;
  const half = Math.floor((LABEL_LETTERS - 1) / 2);
  return `${label.slice(0, half)}…${label.slice(-half)}`;
}
