import { writeString } from './string_literal.js';
import type { WireWriter } from './wire_writer.js';

/** What a token is. `end` is behind the last one. */
export type TokenKind = 'word' | 'number' | 'punctuation' | 'string' | 'end';

/** Longest part of a token that an error shows. */
const SHOWN = 80;

const [TAB, LINE_FEED, RETURN, BLANK, QUOTE, HASH, APOSTROPHE] = [9, 10, 13, 32, 34, 35, 39];
const PUNCTUATION = new Set([...'{}<>:[],;-'].map((char) => char.charCodeAt(0)));
const [DOT, PLUS, MINUS] = [...'.+-'].map((char) => char.charCodeAt(0));

/** The tokens of a text in protobuf's text format, in order, with one of lookahead. Nothing is copied but the token that is asked for. */
export class Tokens {
  readonly #text: Uint8Array;
  #kind: TokenKind | undefined;
  #start: number;
  /** Behind the token; of a string, its start: {@link writeString} finds the end. */
  #at: number;
  #line = 1;

  constructor(text: Uint8Array) {
    this.#text = text;
    this.#at = this.#start = hasByteOrderMark(text) ? 3 : 0;
  }

  /** Kind of the next token. */
  get kind(): TokenKind {
    this.#kind ??= this.#read();
    return this.#kind;
  }

  /** Whether the next token is this punctuation mark. */
  is(mark: string): boolean {
    return this.kind === 'punctuation' && this.#text[this.#start] === mark.charCodeAt(0);
  }

  /** Takes the next token if it is this punctuation mark. */
  skip(mark: string): boolean {
    const found = this.is(mark);
    if (found) this.#kind = undefined;
    return found;
  }

  /** Takes the next token, which has to be this punctuation mark. */
  expect(mark: string): void {
    if (!this.skip(mark)) throw this.error(`expected '${mark}'`);
  }

  /** The text of the next token, which is taken. */
  take(): string {
    const text = this.kind === 'end' ? '' : new TextDecoder().decode(this.#text.subarray(this.#start, this.#at));
    this.#kind = undefined;
    return text;
  }

  /** Takes the next strings, which are one, and writes their bytes. */
  takeStrings(out: WireWriter): void {
    if (this.kind !== 'string') throw this.error('expected string');
    while (this.kind === 'string') {
      this.#at = writeString(this.#text, this.#start, out, (message) => this.error(message));
      this.#kind = undefined;
    }
  }

  /** An error at the next token. */
  error(message: string): Error {
    return new Error(`${message} (line ${this.#line})`);
  }

  /** What an error shows of the next token. */
  shown(): string {
    const end = this.kind === 'string' ? this.#start + 1 : Math.min(this.#at, this.#start + SHOWN);
    return new TextDecoder().decode(this.#text.subarray(this.#start, end));
  }

  #read(): TokenKind {
    this.#skipBlanks();
    this.#start = this.#at;
    const first = this.#text[this.#at];
    if (first === undefined) return 'end';
    if (first === QUOTE || first === APOSTROPHE) return 'string';
    if (isDigit(first) || (first === DOT && isDigit(this.#text[this.#at + 1]))) {
      this.#skipNumber();
      return 'number';
    }
    this.#at++;
    if (PUNCTUATION.has(first)) return 'punctuation';
    while (isInWord(this.#text[this.#at])) this.#at++;
    return 'word';
  }

  #skipBlanks(): void {
    for (; ; this.#at++) {
      const char = this.#text[this.#at];
      if (char === HASH) {
        const end = this.#text.indexOf(LINE_FEED!, this.#at);
        this.#at = end < 0 ? this.#text.length : end;
        if (end < 0) return;
      }
      if (this.#text[this.#at] === LINE_FEED) this.#line++;
      else if (!isBlank(this.#text[this.#at])) return;
    }
  }

  /** To the end of the number, or of what looks like one. */
  #skipNumber(): void {
    for (let last = 0; ; last = this.#text[this.#at++]!) {
      const char = this.#text[this.#at];
      const isSign = char === PLUS || char === MINUS;
      const isExponent = isSign && (last | 0x20) === 0x65;
      if (!isExponent && !isWordCharacter(char) && char !== DOT) return;
    }
  }
}

function hasByteOrderMark(text: Uint8Array): boolean {
  return text[0] === 0xef && text[1] === 0xbb && text[2] === 0xbf;
}

function isBlank(char: number | undefined): boolean {
  return char === BLANK || (char !== undefined && char >= TAB! && char <= RETURN!);
}

function isDigit(char: number | undefined): boolean {
  return char !== undefined && char >= 0x30 && char <= 0x39;
}

function isWordCharacter(char: number | undefined): boolean {
  if (char === undefined) return false;
  const lower = char | 0x20;
  return isDigit(char) || (lower >= 0x61 && lower <= 0x7a) || char === 0x5f;
}

function isInWord(char: number | undefined): boolean {
  if (char === undefined || isBlank(char)) return false;
  return char !== QUOTE && char !== APOSTROPHE && char !== HASH && !PUNCTUATION.has(char);
}
