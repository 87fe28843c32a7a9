import pc from 'picocolors';
import type { Args } from './args.js';
import type { Output, Terminal } from './terminal.js';

/** How a report or an error is shown. */
export interface ReportStyle {
  /** Show each batch norm and each step. */
  readonly verbose: boolean;
  /** Columns of the terminal. */
  readonly width: number;
  readonly colors: ReturnType<typeof pc.createColors>;
  readonly symbols: Symbols;
}

/** Marks at the beginning of a verdict. */
interface Symbols {
  readonly done: string;
  readonly warning: string;
}

/** A style with its colours, or without. @param unicode - whether the terminal has the characters of Unicode */
export function reportStyle(
  options: Pick<ReportStyle, 'verbose' | 'width'> & { readonly color: boolean; readonly unicode: boolean },
): ReportStyle {
  const { verbose, width, color, unicode } = options;
  const colors = pc.createColors(color);
  const symbols = { done: colors.green(unicode ? '✔' : '*'), warning: colors.yellow('!') };
  return { verbose, width, colors, symbols };
}

/** The style for a stream of the terminal, `-v` included. */
export function styleFor(terminal: Terminal, args: Args, stream: Output = terminal.stdout): ReportStyle {
  return reportStyle({
    verbose: args.flag('verbose'),
    color: terminal.hasColor(stream),
    width: terminal.width(stream, 80),
    unicode: terminal.hasUnicode,
  });
}
