import { BnfixError } from '../errors.js';
import { printable } from '../printable.js';

/** A piece of the notation. `end` comes after the last one. */
export interface Token {
  readonly kind:
    | 'word'
    | 'number'
    | 'text'
    | 'hash'
    | 'device'
    | 'port'
    | 'dots'
    | 'opaque'
    | 'mark'
    | 'newline'
    | 'end';
  /** Without quotes and backticks. */
  readonly text: string;
  readonly line: number;
  /** Whether a name was written in backticks: it is never `true`, or a dtype. */
  readonly quoted: boolean;
}

// A hash is followed by hex digits, a comment by anything else. Names are TensorFlow's, so `a/b` is one name and `a / b` two.
const TOKEN =
  /(?<skip>[ \t\r]+|#(?:[^0-9a-f\n].*)?(?=\n|$))|(?<newline>\n)|(?<hash>#[0-9a-f]+)|(?<text>"(?:\\.|[^"\\\n])*")|`(?<quoted>[^`\n]+)`|on (?<device>\/[^\s,]+)|(?<number>-?(?:\d+\.?\d*(?:e[+-]?\d+)?|inf|nan)(?![\w./>\\-]))|:(?<port>\d+)|(?<opaque><\w+>)|(?<dots>\.\.\.)|(?<word>[A-Za-z0-9_.][\w./>\\-]*)|(?<mark>[=(),[\]^+*/?@-])/y;

/**
 * The tokens of a text.
 * @throws BnfixError `unreadable` at a character that starts no token
 */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  let at = 0;
  // Within brackets, a statement continues on the next line.
  let depth = 0;
  while (at < text.length) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (!match) throw notationError(line, `unexpected ${text[at]}`);
    at = TOKEN.lastIndex;
    const [kind, value] = Object.entries(match.groups!).find(([, group]) => group !== undefined)!;
    if (kind === 'quoted') tokens.push({ kind: 'word', text: value, line, quoted: true });
    else if (kind === 'text') tokens.push({ kind, text: JSON.parse(value), line, quoted: true });
    else if (kind !== 'skip' && (kind !== 'newline' || depth === 0)) {
      tokens.push({ kind: kind as Token['kind'], text: value, line, quoted: false });
    }
    if (kind === 'mark') depth += Number('(['.includes(value)) - Number(')]'.includes(value));
    if (kind === 'newline') line++;
  }
  tokens.push({ kind: 'end', text: 'the end', line, quoted: false });
  return tokens;
}

/** The error for a text that is not in the notation. */
export function notationError(line: number, what: string): BnfixError {
  return new BnfixError('unreadable', what, { where: `line ${line}` });
}

/**
 * A name in the notation: in backticks if it would be parsed as something else. A name with line breaks or the like is not in
 * the notation: it is shown with escapes, in one line.
 */
export function nameText(name: string): string {
  TOKEN.lastIndex = 0;
  const match = TOKEN.exec(name);
  return match?.groups?.word === name && name !== 'true' && name !== 'false' ? name : `\`${printable(name)}\``;
}
