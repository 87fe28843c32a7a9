import { BnfixError } from '../errors.js';
import { unexpectedArgument } from './unexpected_argument.js';

/** What yargs has beside the options. */
const NOT_OPTIONS: ReadonlySet<string> = new Set(['_', '$0', 'MODEL']);

/** The parsed arguments, with the types that a command expects. */
export class Args {
  readonly #values: Readonly<Record<string, unknown>>;

  /** The arguments as they were given. */
  readonly given: readonly string[];

  constructor(values: Readonly<Record<string, unknown>>, given: readonly string[] = []) {
    this.#values = values;
    this.given = given;
  }

  /** The same values, and an option that counts as given as well, before `--`. */
  with(option: string, value: string): Args {
    const end = this.given.indexOf('--');
    const before = this.given.slice(0, end < 0 ? undefined : end);
    return new Args(this.#values, [...before, option, value, ...this.given.slice(before.length)]);
  }

  /** The options that have a value. */
  names(): string[] {
    const isGiven = ([name, value]: [string, unknown]) => value !== undefined && !NOT_OPTIONS.has(name);
    return Object.entries(this.#values)
      .filter(isGiven)
      .map(([name]) => name);
  }

  /** Whether a flag is set. */
  flag(name: string): boolean {
    const value = this.#values[name];
    return Array.isArray(value) ? value.includes(true) : value === true;
  }

  /** @throws BnfixError `usage` when the option was given more than once */
  string(name: string): string | undefined {
    const value = this.#values[name];
    if (Array.isArray(value)) {
      throw new BnfixError('usage', `--${name} is given ${value.length} times`, {
        where: value.map(String).join(', '),
        fix: 'give it once',
      });
    }
    if (value === '') throw isEmpty(`--${name}`);
    return typeof value === 'string' ? value : undefined;
  }

  /**
   * The value of the one of several options that is given.
   * @throws BnfixError `usage` when two of them have different values
   */
  oneOf(...names: readonly string[]): string | undefined {
    const given = names.flatMap((name) => {
      const value = this.string(name);
      return value === undefined ? [] : [{ name, value }];
    });
    const other = given.find(({ value }) => value !== given[0]!.value);
    if (other) {
      throw new BnfixError('usage', `--${given[0]!.name} and --${other.name} have different values`, {
        where: `${given[0]!.value}, ${other.value}`,
        fix: 'give one of them',
      });
    }
    return given[0]?.value;
  }

  /** The values of a repeatable option. */
  strings(name: string): string[] {
    const value = this.#values[name];
    return (Array.isArray(value) ? value : [value]).filter((each) => typeof each === 'string');
  }

  /** The values of a repeatable option, each of which may be a list separated by commas. */
  list(name: string): string[] {
    const given = this.strings(name);
    if (given.some((value) => /^[\s,]*$/.test(value))) throw isEmpty(`--${name}`);
    const values = given.flatMap((value) => value.split(','));
    return values.map((value) => value.trim()).filter((value) => value !== '');
  }

  /**
   * The one positional argument; it may follow `--`, so that a name can begin with a dash.
   * @throws BnfixError `usage` when there are more
   */
  positional(name: string): string | undefined {
    const [first, second] = this.positionals(name);
    if (second !== undefined) throw unexpectedArgument(second, this.given);
    return first;
  }

  /** The positional arguments; they may follow `--`, so that a name can begin with a dash. */
  positionals(name: string): string[] {
    const rest = Array.isArray(this.#values._) ? this.#values._.slice(1).map(String) : [];
    const values = [...this.strings(name), ...rest];
    if (values.includes('')) throw this.given.includes('') ? isEmpty(name) : isStdin();
    return values;
  }
}

function isStdin(): BnfixError {
  return new BnfixError('usage', 'a model cannot be read from stdin', {
    why: 'its files are read several times and out of order',
    fix: 'name a file, a folder or a checkpoint prefix',
  });
}

function isEmpty(what: string): BnfixError {
  return new BnfixError('usage', `${what} is empty`, {
    why: 'a shell gives an empty value for a variable that is not set',
    fix: 'give it a value, or leave it out',
  });
}
