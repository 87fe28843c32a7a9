import { safeLine } from '../printable.js';
import { jsonLines } from './json.js';

/** A text stream: process.stdout, or a collector in tests. */
export type Output = NodeJS.WritableStream & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};

/** process.stdin, or a stream of key presses in tests. */
export type Input = NodeJS.ReadableStream & { readonly isTTY?: boolean };

interface Surroundings {
  readonly stdin?: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The streams and the environment of a run: everything that the CLI prints goes through it. */
export class Terminal {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly #env: Surroundings['env'];
  readonly #surroundings: Surroundings;
  #noColor = false;

  constructor(surroundings: Surroundings) {
    const { stdout, stderr, env } = surroundings;
    this.#surroundings = surroundings;
    this.stdout = stdout;
    this.stderr = stderr;
    this.#env = env;
    // Errors reach whoever waits for the write; without a listener they would end the process.
    for (const stream of [stdout, stderr]) stream.on('error', () => {});
  }

  /**
   * Prints the result of a command, line by line, and waits until it has arrived. `bnfix ... | head` closes the pipe early:
   * that is not an error. A line break within a line comes from a name or a path: it is escaped, like everything else that
   * could drive the terminal.
   * @throws BnfixError `unwritable` when it did not arrive, as on a full disk
   */
  async print(lines: readonly string[], stream: Output = this.stdout): Promise<void> {
    const { writeStreamBytes } = await import('../writers/stream_bytes.js');
    try {
      await writeStreamBytes(stream, Buffer.from(this.#textOf(lines, stream)));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'EPIPE') return;
      const { explainUnwritable } = await import('../writers/target.js');
      throw explainUnwritable('the report', cause);
    }
  }

  /** Prints a result as JSON. @throws BnfixError `unwritable` like {@link print} */
  printJson(value: unknown, stream: Output = this.stdout): Promise<void> {
    return this.print(jsonLines(value), stream);
  }

  /** Prints lines on stderr, escaped like those of {@link print}. */
  err(...lines: readonly string[]): void {
    this.say(lines, this.stderr);
  }

  /** Prints lines without waiting: what does not arrive is lost. */
  say(lines: readonly string[], stream: Output): void {
    stream.write(this.#textOf(lines, stream));
  }

  #textOf(lines: readonly string[], stream: Output): string {
    const color = this.hasColor(stream);
    return lines.map((line) => `${safeLine(line, color)}\n`).join('');
  }

  /** From now on, nothing is coloured. */
  withoutColor(): void {
    this.#noColor = true;
  }

  /** Whether to colour a stream: only a terminal, unless NO_COLOR is set (https://no-color.org). */
  hasColor(stream: Output): boolean {
    if (this.#noColor || this.#env.NO_COLOR) return false;
    if (this.#env.FORCE_COLOR) return this.#env.FORCE_COLOR !== '0';
    return stream.isTTY === true && this.#env.TERM !== 'dumb';
  }

  /** Where the user presses keys; undefined if nobody can answer a question: in a pipe, in a script, in CI. */
  get keyboard(): Input | undefined {
    const { CI, TERM } = this.#env;
    const isCi = CI !== undefined && !/^(|0|false)$/i.test(CI);
    if (isCi || TERM === 'dumb' || this.stdout.isTTY !== true || this.stderr.isTTY !== true) return undefined;
    // Node opens stdin at the first access.
    const { stdin } = this.#surroundings;
    return stdin?.isTTY === true ? stdin : undefined;
  }

  /** The name of the user's shell; undefined if the environment has none. */
  get shell(): string | undefined {
    return this.#env.SHELL?.split('/').at(-1);
  }

  /** Columns of a stream: of the terminal, else as COLUMNS says, else as many as the caller wants. */
  width(stream: Output, otherwise: number): number {
    const columns = (stream.isTTY === true ? stream.columns : undefined) ?? Number(this.#env.COLUMNS);
    return Number.isInteger(columns) && columns > 0 ? Math.max(columns, NARROWEST) : otherwise;
  }

  /** Columns for messages on stderr: lines of a log are not wrapped, so that it can be searched. */
  get messageWidth(): number {
    return this.width(this.stderr, Number.POSITIVE_INFINITY);
  }

  /** Whether more than ASCII can be shown: old consoles lack the characters. */
  get hasUnicode(): boolean {
    const { TERM, WT_SESSION, TERM_PROGRAM } = this.#env;
    if (process.platform === 'win32') return WT_SESSION !== undefined || TERM_PROGRAM !== undefined;
    return TERM !== 'linux' && TERM !== 'dumb';
  }
}

/** Text in fewer columns is no longer readable. */
const NARROWEST = 20;
