import yargs, { type Argv } from 'yargs';
import { Args } from './args.js';
import { COMMON_OPTIONS, type Command } from './commands.js';
import { normalized } from './normalized.js';
import { usageError } from './usage_error.js';
import { version } from './version.js';

/** What a command line requests. */
export type Parsed =
  | { readonly kind: 'run'; readonly command: Command; readonly args: Args }
  /** Without a command, the help of the program; `asked` if it was asked for. */
  | { readonly kind: 'help'; readonly command: Command | undefined; readonly asked: boolean }
  | { readonly kind: 'version'; readonly version: string };

const SETTINGS = {
  // TensorFlow's names contain dots and dashes, and may be numbers.
  'dot-notation': false,
  'camel-case-expansion': false,
  'boolean-negation': false,
  'parse-numbers': false,
  'parse-positional-numbers': false,
  // `--outputs a MODEL` must not swallow the model.
  'greedy-arrays': false,
};

/** @throws BnfixError `usage` for an unknown command, option or argument */
export async function parse(given: readonly string[], commands: readonly Command[]): Promise<Parsed> {
  const argv = normalized(given, commands);
  let found: { command: Command; args: Args } | undefined;
  let values: Readonly<Record<string, unknown>> = {};
  const known = new Set(['help', 'version', ...Object.keys(COMMON_OPTIONS)]);
  const parser = yargs()
    .scriptName('bnfix')
    .parserConfiguration(SETTINGS)
    .locale('en')
    .exitProcess(false)
    .strict()
    .help()
    .alias('help', 'h')
    .version(version())
    .alias('version', 'V')
    .options(COMMON_OPTIONS)
    .fail((message, error) => {
      throw error ?? usageError(message, { argv, known, commands });
    });
  for (const command of commands) {
    parser.command({
      command: [command.name, ...positionals(command).map((name) => `[${name}]`)].join(' '),
      describe: command.summary,
      builder: (parser: Argv) => {
        for (const name of Object.keys(command.module.options)) known.add(name);
        for (const name of positionals(command)) parser.positional(name.replace('..', ''), { type: 'string' });
        return parser.options(command.module.options);
      },
      handler: (values) => {
        found = { command, args: new Args(values, argv) };
      },
    });
  }
  try {
    // Given a callback, yargs prints nothing itself.
    await parser.parseAsync([...argv], {}, (_error, parsed) => {
      values = parsed;
    });
  } catch (error) {
    // yargs throws some errors without calling `fail`.
    throw (error as Error).name === 'YError' ? usageError((error as Error).message, { argv, known, commands }) : error;
  }
  if (found) return { kind: 'run', ...found };
  if (values.version === true) return { kind: 'version', version: version() };
  const command = commands.find(({ name }) => argv.includes(name));
  const [unknown] = command ? [] : ((values._ ?? []) as readonly unknown[]);
  if (unknown !== undefined) throw usageError(`Unknown command: ${unknown}`, { argv, known, commands });
  return { kind: 'help', command, asked: values.help === true };
}

/** The positional arguments as yargs has them: `PATH..` for `PATH...`, `MODEL` and `FIXED` for `MODEL [FIXED]`. */
function positionals({ positional }: Command): string[] {
  return positional.replace('...', '..').replaceAll(/[[\]]/g, '').split(' ');
}
