import pc from 'picocolors';
import { COMMON_OPTIONS, type Command, INTRODUCTION, WHERE_TO_START } from './commands.js';
import { exitCodesOf } from './exit_codes.js';
import { labelled, padded, wrapped } from './layout.js';
import type { Option, OptionTable } from './option.js';
import type { Output, Terminal } from './terminal.js';
import { textWidth } from './text_width.js';

/** How a help text is laid out. */
interface HelpStyle {
  readonly width: number;
  /** Makes the titles of sections stand out. */
  readonly bold: (text: string) => string;
}

/** A term and what it means. */
type Entry = readonly [term: string, text: string];

/** Longer terms have a line of their own. */
const LONGEST_TERM = 30;

/** The help of a command; without one, of the program. */
export function helpLines(
  command: Command | undefined,
  { width, bold }: HelpStyle,
  commands: readonly Command[],
): string[] {
  const section = (title: string, entries: readonly Entry[]) =>
    entries.length === 0 ? [] : ['', bold(title), ...entryLines(entries, width)];
  const examples = (lines: readonly Entry[]) => ['', bold('Examples'), ...exampleLines(lines, width)];
  if (!command) {
    return [
      'bnfix COMMAND',
      '',
      ...wrapped(INTRODUCTION, width),
      ...section(
        'Commands',
        commands.map(({ name, summary }) => [name, summary]),
      ),
      ...section('Options', optionEntries(GENERAL_OPTIONS)),
      ...examples(WHERE_TO_START),
      '',
      ...wrapped('bnfix COMMAND --help shows the options of a command.', width),
    ];
  }
  const { name, positional, positionalText, module } = command;
  return [
    [`bnfix ${name}`, positional, '[options]'].join(' '),
    '',
    ...wrapped(sentence(command.summary), width),
    '',
    ...entryLines([[positional, positionalText]], width),
    ...groupsOf(module.options).flatMap(([title, options]) => section(title, optionEntries(options))),
    ...section('Common options', optionEntries(GENERAL_OPTIONS)),
    ...examples(module.examples),
    ...section(
      'Exit codes',
      exitCodesOf(name).map(([code, text]) => [String(code), text]),
    ),
  ];
}

/** Prints the help of a command; without one, of the program. */
export async function showHelp(
  command: Command | undefined,
  terminal: Terminal,
  stream: Output,
  commands: readonly Command[],
): Promise<void> {
  const { bold } = pc.createColors(terminal.hasColor(stream));
  await terminal.print(helpLines(command, { width: terminal.width(stream, 80), bold }, commands), stream);
}

/** Options that each command has, those of the parser included. */
export const GENERAL_OPTIONS: OptionTable = {
  ...COMMON_OPTIONS,
  help: { type: 'boolean', alias: 'h', describe: 'show this help' },
  version: { type: 'boolean', alias: 'V', describe: 'show the version' },
};

/** The options that are shown, by the title of their section, in the order of the table. */
export function groupsOf(options: OptionTable): [title: string, options: OptionTable][] {
  const groups = new Map<string, Record<string, Option>>();
  for (const [name, option] of Object.entries(options)) {
    if (option.hidden) continue;
    const title = option.group ?? 'Options';
    groups.set(title, { ...groups.get(title), [name]: option });
  }
  return [...groups];
}

function optionEntries(options: OptionTable): Entry[] {
  return Object.entries(options).map(([name, option]) => [optionText(name, option), option.describe ?? '']);
}

/** `-o, --output FILE`; an option without a letter is in line with the others. */
function optionText(name: string, option: Option): string {
  const flags = flagsOf(name, option);
  const indent = flags[0]!.length === 2 ? '' : '    ';
  return [indent + flags.join(', '), ...valueName(option)].join(' ');
}

/** The spellings of an option, letters first: `-o`, `--output`. */
export function flagsOf(name: string, { alias = [] }: Option): string[] {
  const names = [name, ...[alias].flat()].sort((a, b) => Math.min(a.length, 2) - Math.min(b.length, 2));
  return names.map((each) => (each.length === 1 ? `-${each}` : `--${each}`));
}

/** What the value of an option is called; nothing for a flag. */
export function valueName({ type, value }: Option): string[] {
  return type === 'boolean' ? [] : [value ?? 'VALUE'];
}

/** `freeze a model` as a sentence. */
export function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}

/** Command lines, and what each does: next to it where all of them are short, else below it. */
function exampleLines(entries: readonly Entry[], width: number): string[] {
  if (entries.every(([line]) => textWidth(line) <= width / 2)) return entryLines(entries, width, width / 2);
  return entries.flatMap(([line, text]) => [`  ${line}`, ...labelled('      ', text, width)]);
}

/** Terms in a column, what they mean in another. */
function entryLines(entries: readonly Entry[], width: number, longest = LONGEST_TERM): string[] {
  const widths = entries.map(([term]) => textWidth(term)).filter((each) => each <= longest);
  const column = Math.max(0, ...widths);
  return entries.flatMap(([term, text]) => {
    if (textWidth(term) > column) return [`  ${term}`, ...labelled(' '.repeat(column + 4), text, width)];
    return labelled(`  ${padded(term, column)}  `, text, width);
  });
}
