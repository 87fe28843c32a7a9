import type { TensorRef } from '../graph/node.js';
import { DTYPES } from './literals.js';
import { notationError, type Token, tokensOf } from './tokens.js';

/** The unparsed value of an attr: a single token, or a list; `float32[8] #1a2b` has a prefix and a hash. */
export interface Value {
  readonly token: Token;
  readonly items?: readonly Value[];
  readonly prefix?: string;
  readonly hash?: string;
}

/** `key=value`, only a value, or `-key`: an absent attr. */
export interface AttrItem {
  readonly key: string | undefined;
  readonly value: Value;
  readonly isAbsent: boolean;
}

/** The syntax of a node, with nested inputs. */
export interface Call {
  readonly op: string;
  readonly inputs: readonly (Call | TensorRef)[];
  readonly controls: readonly string[];
  readonly attrs: readonly AttrItem[];
  /** The output that the outer node reads. */
  readonly port: number;
  readonly line: number;
}

/** A node with a name, possibly with others nested in it. */
export interface Statement {
  readonly name: string | undefined;
  readonly call: Call;
  readonly device: string;
}

/** Whether an input is a nested node. */
export function isCall(input: Call | TensorRef): input is Call {
  return 'op' in input;
}

const INFIX: readonly Readonly<Record<string, string>>[] = [
  { '+': 'AddV2', '-': 'Sub' },
  { '*': 'Mul', '/': 'RealDiv' },
];

/**
 * Parses the statements of a text in the notation of graphs (docs/notation.md).
 * @throws BnfixError `unreadable` with the line of a syntax error
 */
export function parseStatements(text: string): Statement[] {
  return new Parser(tokensOf(text)).statements();
}

/** Tokens that stand for a value. */
const VALUES: readonly Token['kind'][] = ['word', 'number', 'text', 'opaque'];

/** Recursive descent: a method for each rule of the grammar. */
class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  statements(): Statement[] {
    const statements: Statement[] = [];
    for (;;) {
      while (this.#isKind('newline')) this.#at++;
      if (this.#isKind('end')) return statements;
      statements.push(this.#statement());
      if (!this.#skip(',') && !this.#isKind('newline') && !this.#isKind('end')) throw this.#unexpected();
    }
  }

  #statement(): Statement {
    const name = this.#key();
    const call = this.#sum();
    if (!isCall(call)) throw notationError(this.#next.line, `${call.node} is a tensor: write Identity(${call.node})`);
    return { name, call, device: this.#isKind('device') ? this.#take().text : '' };
  }

  #sum(level = 0): Call | TensorRef {
    const operand = () => (level + 1 < INFIX.length ? this.#sum(level + 1) : this.#operand());
    let left = operand();
    for (;;) {
      const { kind, text, line } = this.#next;
      const op = kind === 'mark' ? INFIX[level]![text] : undefined;
      if (op === undefined) return left;
      this.#at++;
      left = { op, inputs: [left, operand()], controls: [], attrs: [], port: 0, line };
    }
  }

  #operand(): Call | TensorRef {
    if (this.#skip('(')) {
      const inner = this.#sum();
      this.#expect(')');
      return inner;
    }
    const { kind, text, line, quoted } = this.#next;
    const isLiteral = !quoted && (/^(true|false)$/.test(text) || (DTYPES.has(text) && this.#is('[', 1)));
    if (kind !== 'word' || isLiteral) {
      const value = { key: undefined, value: this.#value(), isAbsent: false };
      return { op: 'Const', inputs: [], controls: [], attrs: [value], port: 0, line };
    }
    this.#at++;
    if (!this.#is('(') && !this.#is('[')) return { node: text, port: this.#port() };
    return {
      op: text,
      ...this.#inputs(),
      attrs: this.#is('[') ? this.#list(() => this.#attr()) : [],
      port: this.#port(),
      line,
    };
  }

  #inputs(): Pick<Call, 'inputs' | 'controls'> {
    const inputs: (Call | TensorRef)[] = [];
    const controls: string[] = [];
    const items = this.#is('(') ? this.#list(() => this.#input(), '(', ')') : [];
    for (const item of items) {
      if (typeof item === 'string') controls.push(item);
      else if (item) inputs.push(item);
    }
    return { inputs, controls };
  }

  /** A tensor, a control input, or `...` for omitted inputs. */
  #input(): Call | TensorRef | string | undefined {
    if (this.#skip('^')) return this.#take('word').text;
    if (!this.#isKind('dots')) return this.#sum();
    this.#at++;
    return undefined;
  }

  #attr(): AttrItem {
    const isAbsent = this.#skip('-');
    return { isAbsent, key: this.#key(), value: this.#value() };
  }

  /** The name before `=`. */
  #key(): string | undefined {
    if (!this.#isKind('word') || !this.#is('=', 1)) return undefined;
    this.#at += 2;
    return this.#tokens[this.#at - 2]!.text;
  }

  #value(): Value {
    const token = this.#next;
    if (this.#is('[')) return { token, items: this.#list(() => this.#value()) };
    if (this.#skip('@')) return { token: this.#take('word'), prefix: '@' };
    if (!this.#is('?') && !VALUES.includes(token.kind)) throw this.#unexpected();
    this.#at++;
    if (token.kind !== 'word' || !this.#is('[')) return { token };
    const items = this.#list(() => this.#value());
    return { token, prefix: token.text, items, ...(this.#isKind('hash') && { hash: this.#take().text }) };
  }

  #list<T>(item: () => T, open = '[', close = ']'): T[] {
    const items: T[] = [];
    this.#expect(open);
    while (!this.#skip(close)) {
      items.push(item());
      if (!this.#is(close)) this.#expect(',');
    }
    return items;
  }

  #port(): number {
    return this.#isKind('port') ? Number(this.#take().text) : 0;
  }

  get #next(): Token {
    return this.#tokens[this.#at]!;
  }

  #take(kind = this.#next.kind): Token {
    if (!this.#isKind(kind)) throw this.#unexpected();
    return this.#tokens[this.#at++]!;
  }

  #isKind(kind: Token['kind']): boolean {
    return this.#next.kind === kind;
  }

  #is(mark: string, ahead = 0): boolean {
    const token = this.#tokens[this.#at + ahead];
    return token?.kind === 'mark' && token.text === mark;
  }

  #skip(mark: string): boolean {
    if (!this.#is(mark)) return false;
    this.#at++;
    return true;
  }

  #expect(mark: string): void {
    if (!this.#skip(mark)) throw this.#unexpected(`expected ${mark}, found`);
  }

  #unexpected(what = 'unexpected') {
    const { line, text, kind } = this.#next;
    return notationError(line, `${what} ${kind === 'newline' ? 'end of line' : text}`);
  }
}
