import { didYouMean, nearNames } from '../did_you_mean.js';
import { BnfixError } from '../errors.js';
import { shellQuoted } from '../quoted.js';
import type { Command } from './commands.js';
import { DEFAULT_COMMAND, PATH } from './normalized.js';
import { unexpectedArgument } from './unexpected_argument.js';

/** What the parser was given. */
interface Context {
  readonly argv: readonly string[];
  /** All options of the command so far. */
  readonly known: ReadonlySet<string>;
  readonly commands: readonly Command[];
}

/** The error for a message of the parser. */
export function usageError(message: string, context: Context): BnfixError {
  const { argv, commands } = context;
  const unknown = /^Unknown (?:argument|command)s?: (.+)$/s.exec(message)?.[1]?.split(', ');
  const suggested = /^Did you mean (.+)\?$/s.exec(message)?.[1];
  const [first = ''] = argv;
  const isCommand = first.startsWith('-') || commands.some(({ name }) => name === first);
  if (unknown !== undefined && isCommand) {
    const options = unknown.filter((name) => isOption(name, argv));
    if (options.length > 0) return unknownOptions(options, context);
    return unexpectedArgument(unknown[0]!, argv);
  }
  if (unknown !== undefined || suggested !== undefined) return unknownCommand(suggested, context);
  const bare = /^Not enough arguments following: (.+)$/s.exec(message)?.[1];
  if (bare !== undefined)
    return new BnfixError('usage', `${dashed(bare)} needs a value`, {
      fix: `${dashed(bare)} ${valueName(bare, context)}`,
    });
  const [, option, given, choices] =
    /^Invalid values:\s+Argument: ([^,]+), Given: (.*), Choices: (.*)$/s.exec(message) ?? [];
  if (option !== undefined) return notAChoice(option, unquoted(given!), choices!.split(', ').map(unquoted));
  return new BnfixError('usage', message, { fix: 'bnfix --help' });
}

function unquoted(text: string): string {
  return text.replace(/^"(.*)"$/s, '$1');
}

function notAChoice(option: string, given: string, choices: readonly string[]): BnfixError {
  const near = nearNames(given, choices);
  const meant = didYouMean(given, choices);
  return new BnfixError('usage', `invalid value for ${dashed(option)}: ${given}`, {
    where: dashed(option),
    fix: [...(meant === undefined ? [] : [meant]), `use ${choices.join(', ')}`],
    candidates: near.length > 0 ? near : choices,
  });
}

/** What the help calls the value of an option. */
function valueName(name: string, { argv, commands }: Context): string {
  const options = commands.find((command) => argv.includes(command.name))?.module.options ?? {};
  const entries = Object.entries(options);
  return entries.find(([key, { alias }]) => [key, alias].flat().includes(name))?.[1].value ?? 'VALUE';
}

/** Short options of other programs. */
const SHORT: Readonly<Record<string, string>> = {
  f: '--force',
  y: '--force',
  n: '--dry-run',
  O: '-o',
  c: '--checkpoint',
};

function isOption(name: string, argv: readonly string[]): boolean {
  const pattern = new RegExp(`^(--${quoted(name)}(=|$)|-\\w*${quoted(name)})`);
  return argv.some((arg) => pattern.test(arg));
}

function unknownOptions(names: readonly string[], { argv, known, commands }: Context): BnfixError {
  const flags = names.map(dashed);
  const options = [...known].map(dashed);
  const fixes = names.map((name) => {
    const spelling = name.replaceAll('_', '-');
    const owner = known.has(spelling) ? undefined : commands.find(({ module }) => spelling in module.options);
    if (owner) return `${dashed(spelling)} is an option of ${owner.name}`;
    if (name.length === 1) return SHORT[name] === undefined ? undefined : `did you mean ${SHORT[name]}?`;
    // The flags of freeze_graph, with their underscores, work but are not for new scripts.
    const longer = options.filter((option) => option.startsWith(dashed(name)) && !option.includes('_'));
    return longer.length > 0 ? `did you mean ${longer.join(', ')}?` : didYouMean(dashed(name), similar(name, options));
  });
  const command = commands.find(({ name }) => name === argv[0])?.name ?? 'COMMAND';
  const candidates = names.flatMap((name) => nearNames(dashed(name), similar(name, options)));
  return new BnfixError('usage', `unknown option${names.length === 1 ? '' : 's'} ${flags.join(', ')}`, {
    fix: [
      ...fixes.flatMap((fix) => fix ?? []),
      ...(fixes.includes(undefined) ? [`bnfix ${command} --help lists them`] : []),
    ],
    candidates,
  });
}

/** Everything is near to a short name: its first letter must be the same. */
function similar(name: string, options: readonly string[]): readonly string[] {
  return name.length > 3 ? options : options.filter((option) => option.startsWith(`--${name[0]}`));
}

/** The command with a typo is replaced; without a similar one, what was given may be a model. */
function unknownCommand(suggested: string | undefined, { argv, commands }: Context): BnfixError {
  const [first = '', ...rest] = argv;
  const names = commands.map(({ name }) => name);
  const command = suggested ?? nearNames(first, names)[0];
  const isVerb = command === undefined && rest.some((arg) => !arg.startsWith('-') && PATH.test(arg));
  const isHelp = rest.some((arg) => arg === '--help' || arg === '-h');
  const line =
    command !== undefined || isVerb ? [command ?? DEFAULT_COMMAND, ...rest] : [DEFAULT_COMMAND, first, ...rest];
  return new BnfixError('usage', `unknown command ${first}`, {
    fix: [
      `bnfix ${(command === undefined && isHelp ? ['--help'] : line).map(shellQuoted).join(' ')}`,
      ...(command === undefined ? [`commands: ${names.join(', ')}`] : []),
    ],
    candidates: command === undefined ? [] : [command],
  });
}

function dashed(name: string): string {
  return name.length > 1 ? `--${name}` : `-${name}`;
}

function quoted(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
