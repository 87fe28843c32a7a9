import { existsSync } from 'node:fs';
import type { Command } from './commands.js';

/** A name that can only be a file, a folder or a prefix, whether it exists or not: it has a folder or an extension. */
export const PATH = /[./\\]/;

/** The command for a model that is given without one. */
export const DEFAULT_COMMAND = 'freeze';

/**
 * A command line in the form that the parser knows: `help fold` is `fold --help`, `version` is `--version`, `-oFILE` is
 * `-o FILE`, and a model without a command is frozen.
 */
export function normalized(argv: readonly string[], commands: readonly Command[]): string[] {
  const names = commands.map(({ name }) => name);
  const [first = '', second = ''] = argv;
  if (first === 'help') return second === '' || second === 'help' ? ['--help'] : [second, '--help'];
  if (first === 'version') return ['--version'];
  const end = argv.indexOf('--');
  const args = end < 0 ? argv : argv.slice(0, end);
  const separated = args.flatMap((arg) => {
    if (arg === '-out' || arg === '-output') return ['-o'];
    const file = /^-o([^=].*)$/.exec(arg)?.[1];
    return file === undefined ? [arg] : ['-o', file];
  });
  const rest = end < 0 ? [] : argv.slice(end);
  const hasModel = isModel(first) || (first.startsWith('-') && args.some(isModel));
  const command =
    hasModel && names.includes(DEFAULT_COMMAND) && !names.some((name) => argv.includes(name)) ? [DEFAULT_COMMAND] : [];
  return [...command, ...separated, ...rest];
}

/** Whether an argument names a model, not a command. */
function isModel(arg: string): boolean {
  return !arg.startsWith('-') && (PATH.test(arg) || (arg !== '' && existsSync(arg)));
}
