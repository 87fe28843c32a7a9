import { BnfixError, EXIT_CODES } from '../errors.js';
import type { Args } from './args.js';
import { COMMANDS, type Command } from './commands.js';
import { parse } from './parse.js';
import type { Terminal } from './terminal.js';

/** What a run depends on beside its arguments. */
interface Conditions {
  readonly commands?: readonly Command[];
  /** Whether the working folder exists; it may have been deleted. */
  readonly hasFolder?: boolean;
}

/**
 * Runs a command line: the whole CLI except for the process around it.
 * @param argv - the arguments after the program's name
 * @returns the exit code; never throws
 */
export async function run(
  argv: readonly string[],
  terminal: Terminal,
  { commands = COMMANDS, hasFolder = true }: Conditions = {},
): Promise<number> {
  if (argv.includes('--no-color')) terminal.withoutColor();
  let args: Args | undefined;
  try {
    const parsed = await parse(argv, commands);
    switch (parsed.kind) {
      case 'version':
        await terminal.print([parsed.version]);
        return 0;
      case 'help': {
        const { showHelp } = await import('./help.js');
        await showHelp(parsed.command, terminal, parsed.asked ? terminal.stdout : terminal.stderr, commands);
        return parsed.asked ? 0 : EXIT_CODES.usage;
      }
      case 'run':
        if (!hasFolder) throw noWorkingFolder();
        args = parsed.args;
        return await parsed.command.module.run(args, terminal);
    }
  } catch (error) {
    const { showError } = await import('./show_error.js');
    const { flagTextFor } = await import('./flags.js');
    return showError(error, terminal, { ...styleOf(argv), ...(args && { flagText: flagTextFor(args) }) });
  }
}

function noWorkingFolder(): BnfixError {
  return new BnfixError('unreadable', 'the working folder does not exist', {
    why: 'it was deleted, or replaced by another one of the same name',
    fix: 'cd to an existing folder; if there is a new one of the same name: cd "$PWD"',
  });
}

/** Read from the raw arguments, since parsing may have failed. */
function styleOf(argv: readonly string[]) {
  const has = (...names: string[]) => names.some((name) => argv.includes(name));
  const toStdout = argv.some((arg, i) => arg === '-' && /^(-o|--output|--output_graph)$/.test(argv[i - 1] ?? ''));
  return {
    json: has('--json'),
    verbose: has('-v', '--verbose'),
    jsonTo: toStdout ? ('stderr' as const) : ('stdout' as const),
  };
}
