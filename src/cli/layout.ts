import wrapAnsi from 'wrap-ansi';
import { safeLine } from '../printable.js';
import { textWidth } from './text_width.js';

/** Prose is harder to read in longer lines, however wide the terminal is. */
const LONGEST_PROSE = 100;
const NO_BREAK = '\u00a0';

/** A text that stays in one line: a command, or an option with its value. */
export function unbroken(text: string): string {
  return text.replaceAll(' ', NO_BREAK);
}

/**
 * The lines of a text without line breaks, none longer than `width` unless a single word, or an {@link unbroken} text, is.
 * @param width - Infinity for a line as long as the text
 */
export function wrapped(text: string, width: number): string[] {
  const columns = width === Number.POSITIVE_INFINITY ? width : Math.max(1, Math.min(width, LONGEST_PROSE));
  const lines = wrapAnsi(safeLine(text, true), columns, { hard: false }).split('\n');
  return lines.map((line) => line.replaceAll(NO_BREAK, ' '));
}

/** A wrapped text behind a label; all lines but the first are indented by as much. */
export function labelled(label: string, text: string, width: number): string[] {
  const indent = textWidth(label);
  return hanging(label, wrapped(text, width - indent), indent);
}

/** Lines behind a label. @param indent - the width of the label */
export function hanging(label: string, lines: readonly string[], indent = textWidth(label)): string[] {
  const blank = ' '.repeat(indent);
  return lines.map((line, i) => (i === 0 ? label : blank) + line);
}

/** A text followed by spaces, or after them. */
export function padded(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const blank = ' '.repeat(Math.max(0, width - textWidth(text)));
  return align === 'left' ? text + blank : blank + text;
}

/** How many items are shown without -v. */
const SHOWN = 12;

/** The first items; all of them if leaving some out would save no line. */
export function shortened<T>(items: readonly T[], all: boolean): { shown: readonly T[]; more: number } {
  if (all || items.length <= SHOWN + 1) return { shown: items, more: 0 };
  return { shown: items.slice(0, SHOWN), more: items.length - SHOWN };
}
