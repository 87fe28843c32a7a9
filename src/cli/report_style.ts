import pc from 'picocolors';

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
