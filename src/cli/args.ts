import { BnfixError } from '../errors.js';

/** What the parser found, read with the types that a command expects. */
export class Args {
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values;
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
        fix: 'name one',
      });
    }
    return typeof value === 'string' && value !== '' ? value : undefined;
  }

  /** The values of a repeatable option. */
  strings(name: string): string[] {
    const value = this.#values[name];
    return (Array.isArray(value) ? value : [value]).filter((each) => typeof each === 'string');
  }

  /** The values of a repeatable option, each of which may be several, apart by commas. */
  list(name: string): string[] {
    const values = this.strings(name).flatMap((value) => value.split(','));
    return values.map((value) => value.trim()).filter((value) => value !== '');
  }

  /**
   * The one positional argument; it may follow `--`, so that a name can begin with a dash.
   * @throws BnfixError `usage` when there are more
   */
  positional(name: string): string | undefined {
    const rest = Array.isArray(this.#values._) ? this.#values._.slice(1).map(String) : [];
    const [first, second] = [this.string(name), ...rest].filter((value) => value !== undefined);
    if (second !== undefined) throw new BnfixError('usage', `unexpected argument ${second}`);
    return first;
  }
}
