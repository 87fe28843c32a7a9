import yargs, { type Argv } from 'yargs';
import { Args } from './args.js';
import { COMMON_OPTIONS, type Command } from './commands.js';
import { normalized } from './normalized.js';
import { usageError } from './usage_error.js';
import { version } from './version.js';

/** What a command line requests. */
export type Parsed =
  | { readonly kind: 'run'; readonly command: Command; readonly args: Args }
  /** Help or version. */
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'no command'; readonly help: string };

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

const EXIT_CODES_TEXT =
  'Exit codes: 0 done, 1 reserved, 2 usage, 3 unreadable input, 4 statistics or variables missing or untrained, ' +
  '5 unsupported pattern, 6 cannot write, 70 a bug in bnfix, 130 interrupted.';

/** @throws BnfixError `usage` for an unknown command, option or argument */
export async function parse(given: readonly string[], commands: readonly Command[]): Promise<Parsed> {
  const argv = normalized(given, commands);
  let found: { command: Command; args: Args } | undefined;
  let text = '';
  const known = new Set(['help', 'version', ...Object.keys(COMMON_OPTIONS)]);
  const parser = yargs()
    .scriptName('bnfix')
    .usage('bnfix COMMAND\n\nRepairs TensorFlow graphs whose batch norms were saved in training mode.')
    .parserConfiguration(SETTINGS)
    .locale('en')
    .exitProcess(false)
    .strict()
    .help()
    .alias('help', 'h')
    .version(version())
    .alias('version', 'V')
    .options(COMMON_OPTIONS)
    .epilogue('bnfix COMMAND --help shows the options of a command.')
    .fail((message, error) => {
      throw error ?? usageError(message, { argv, known, commands });
    });
  for (const command of commands) {
    parser.command({
      command: `${command.name} [${command.positional}]`,
      describe: command.summary,
      builder: (parser: Argv) => {
        for (const name of Object.keys(command.module.options)) known.add(name);
        return commandParser(parser, command);
      },
      handler: (values) => {
        found = { command, args: new Args(values, argv) };
      },
    });
  }
  try {
    // Given a callback, yargs prints nothing itself.
    await parser.parseAsync([...argv], {}, (_error, _values, output) => {
      text = output;
    });
  } catch (error) {
    // yargs throws some errors without calling `fail`.
    throw (error as Error).name === 'YError' ? usageError((error as Error).message, { argv, known, commands }) : error;
  }
  if (text !== '') return { kind: 'text', text };
  return found ? { kind: 'run', ...found } : { kind: 'no command', help: await parser.getHelp() };
}

function commandParser(argv: Argv, { name, positional, positionalText, summary, module }: Command): Argv {
  argv
    .usage(`bnfix ${name} ${positional}\n\n${summary[0]!.toUpperCase()}${summary.slice(1)}.`)
    .positional(positional, { type: 'string', describe: positionalText })
    .options(module.options)
    .epilogue(EXIT_CODES_TEXT);
  for (const [line, what] of module.examples) argv.example(line, what);

  return argv;
}
