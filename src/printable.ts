// What may be shown of a text that comes from outside: names in a model, paths, arguments.

/** Drive a terminal, break a line, reorder it, or are invisible. */
const UNSAFE = '\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}\\p{Default_Ignorable_Code_Point}';
const UNSAFE_CHARACTER = new RegExp(`[${UNSAFE}]`, 'gu');
/** A no-break space as well: layouts use it for their own purpose. */
const UNSAFE_IN_DATA = new RegExp(`[${UNSAFE}\u00a0]`, 'gu');
/** The start and end of the colours that picocolors makes for us. */
const UNSAFE_OR_COLOR = new RegExp(`\\x1b\\[(?:[12]|22|3[1-6]|39)m|[${UNSAFE}]`, 'gu');
/** Nearly all texts. */
const PLAIN = /^[\x20-\x7e]*$/;

/** What a runner of GitHub or Azure takes for a command in a log: `::error::` at the start of a line, `##[error]` and `##vso[` anywhere. */
const COMMAND = /(?<=^\s*|\s):(?=:)|#(?=#(?:vso)?\[)/g;

/** A text from outside as one line that shows each character and is no command in a log: `a\nb`, `\x1b[2J`, `\u202e`, `\x3a:error::`. */
export function printable(text: string): string {
  const shown = PLAIN.test(text) ? text : text.replace(UNSAFE_IN_DATA, escapeOf);
  return shown.includes('::') || shown.includes('##') ? shown.replace(COMMAND, escapeOf) : shown;
}

/** Whether a text is shown as it is. */
export function isPrintable(text: string): boolean {
  return printable(text) === text;
}

/**
 * Plain data, such as a report, or a sentence with names in it: all texts are {@link printable}, keys as well. A gap of several
 * spaces is escaped, too: where a line is wrapped it could look like the one behind a label of ours.
 */
export function printableData<T>(data: T): T {
  return printableValue(data) as T;
}

function printableValue(value: unknown): unknown {
  if (typeof value === 'string') return withoutGaps(printable(value));
  if (Array.isArray(value)) return value.map(printableValue);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [withoutGaps(printable(key)), printableValue(each)]),
  );
}

function withoutGaps(text: string): string {
  return text.includes('  ') ? text.replace(/ {2,}/g, (gap) => ` ${'\\x20'.repeat(gap.length - 1)}`) : text;
}

/** A line of our own text: what does not belong into a line is escaped. @param color - whether our colours stay */
export function safeLine(line: string, color: boolean): string {
  if (PLAIN.test(line)) return line;
  if (!color) return line.replace(UNSAFE_CHARACTER, escapeOf);
  return line.replace(UNSAFE_OR_COLOR, (match) => (match.length > 2 ? match : escapeOf(match)));
}

/** JSON whose every value is the same, but that a terminal can show: the escapes of JSON do for these characters. */
export function safeJson(json: string): string {
  return json.replace(UNSAFE_CHARACTER, (character) =>
    character === '\n' ? character : [...Array(character.length).keys()].map((i) => unit(character, i)).join(''),
  );
}

/** A UTF-16 unit as JSON escapes it. */
function unit(text: string, i: number): string {
  return `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`;
}

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escapeOf(character: string): string {
  const code = character.codePointAt(0)!;
  if (code < 0x100) return SHORT[character] ?? `\\x${code.toString(16).padStart(2, '0')}`;
  return code < 0x10000 ? unit(character, 0) : `\\u{${code.toString(16)}}`;
}
