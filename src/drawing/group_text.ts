import { shapeText } from '../freezing/text.js';
import { printable } from '../printable.js';
import type { DrawnEdge, DrawnGroup } from './drawing.js';

/** What is written into a group, and the size that it takes, in pixels. */
export interface GroupText {
  /** The lines, the most important first. Printable, not escaped. */
  readonly lines: readonly string[];
  /** All of it, for who points at it. */
  readonly title: string;
  readonly width: number;
  readonly height: number;
}

/** Longest line, in characters. */
const LONGEST = 32;
/** The widths of characters, on average, in the widest of the usual fonts: of the name, which is bold, and of other lines. */
const [BOLD, PLAIN] = [8.2, 6.6];
/** The height of a line. */
export const LINE = 16;

/** The text of a group. @param output - what it passes on, if anything */
export function groupText(group: DrawnGroup, output: DrawnEdge | undefined): GroupText {
  const { kind, nodes, ops, batchNorms, repeats } = group;
  const name = printable(group.name);
  const shape = output === undefined ? '' : shapeText(output.shape);
  const what = kind === 'layers' ? ops.map(printable).join(', ') : kind;
  const count = batchNorms.length > 1 ? [`${batchNorms.length} batch norms`] : [];
  const times = repeats > 1 ? [`${repeats} times in a row`] : [];
  const details = [...times, ...count].join(', ');
  const lines = [endOf(name), ...inTwoLines(what), details, shape === '?' ? '' : shape];
  const shown = lines.filter((line) => line !== '');
  return {
    lines: shown,
    title: [
      name,
      what,
      details,
      shape,
      nodes === 1 ? '1 node' : `${nodes} nodes`,
      ...batchNorms.map(printable).slice(0, 20),
    ]
      .filter((line) => line !== '')
      .join('\n'),
    width: Math.ceil(Math.max(...shown.map((line, i) => [...line].length * (i === 0 ? BOLD : PLAIN)))) + 24,
    height: shown.length * LINE + 12,
  };
}

/** The end of a name tells most. */
function endOf(text: string): string {
  const characters = [...text];
  return characters.length <= LONGEST ? text : `…${characters.slice(1 - LONGEST).join('')}`;
}

/** A list in two lines at most; what has no room is left out. */
function inTwoLines(text: string): string[] {
  const lines = [''];
  for (const [i, item] of text.split(', ').entries()) {
    const next = i === 0 ? item : `${lines.at(-1)}, ${item}`;
    if (i === 0 || next.length <= LONGEST) lines[lines.length - 1] = next;
    else if (lines.length === 1) {
      lines[0] += ',';
      lines.push(item);
    } else {
      lines[1] += ', …';
      break;
    }
  }
  return lines.map((line) => ([...line].length <= LONGEST + 4 ? line : `${[...line].slice(0, LONGEST).join('')}…`));
}
