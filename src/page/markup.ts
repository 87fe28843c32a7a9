import { withEntities } from '../entities.js';
import { printable } from '../printable.js';

/** Markup in which every value from outside is escaped. Only {@link html} makes it. */
export class Markup {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The HTML. */
  toString(): string {
    return this.#text;
  }
}

/** What can stand in a template: text is escaped, markup and lists of it are not; undefined and false are nothing. */
export type Content = string | number | boolean | undefined | Markup | readonly Content[];

/** A template of markup: `` html`<td>${name}</td>` ``. Values are escaped, for text and for attributes in double quotes. */
export function html(strings: TemplateStringsArray, ...values: readonly Content[]): Markup {
  return new Markup(strings.reduce((text, part, i) => text + contentText(values[i - 1]) + part));
}

function contentText(value: Content): string {
  if (value instanceof Markup) return value.toString();
  if (Array.isArray(value)) return value.map(contentText).join('');
  if (value === undefined || value === false || value === true) return '';
  return withEntities(printable(String(value)));
}

/** More places to break a line are of no use. */
const MOST_BREAKS = 40;

/** A name, which a browser may break before each slash. */
export function nameMarkup(name: string): Markup {
  const parts = name.split('/');
  const [first = '', ...rest] = parts.length > MOST_BREAKS ? [name] : parts;
  return html`<bdi>${first}${rest.map((part) => html`<wbr>/${part}`)}</bdi>`;
}

/** A value as JSON for a script element: no character of it can end the element, or begin a comment in it. */
export function json(value: unknown): Markup {
  return new Markup(JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, unicodeEscape));
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** The content of a style or script element that the build made. @throws when it could end the element */
export function raw(text: string): Markup {
  if (/<\/(style|script)|<!--/i.test(text)) throw new Error('the text would end its element');
  return new Markup(text);
}
