import { describe, expect, it } from 'vitest';
import { html, json, nameMarkup, raw } from '../../src/page/markup.js';

describe('html', () => {
  it('escapes every value, in text and in attributes', () => {
    const name = `</p><script>'"&`;
    expect(html`<p title="${name}">${name}</p>`.toString()).toBe(
      '<p title="&lt;/p&gt;&lt;script&gt;&#39;&quot;&amp;">&lt;/p&gt;&lt;script&gt;&#39;&quot;&amp;</p>',
    );
  });

  it('keeps markup and lists of it, and leaves out undefined and booleans', () => {
    const items = ['a<', 'b'].map((text) => html`<li>${text}</li>`);
    expect(html`<ul>${items}</ul>${undefined}${false}${0}`.toString()).toBe('<ul><li>a&lt;</li><li>b</li></ul>0');
  });

  it('shows characters that cannot be seen as escapes', () => {
    expect(html`${'a\u202eb\u0000\n'}`.toString()).toBe('a\\u202eb\\x00\\n');
  });
});

describe('json', () => {
  it('is the same value, and never ends its element', () => {
    const value = { '</script>': ['<!--', 'a&b\u2028', '\u202e'] };
    const text = json(value).toString();
    expect(text).not.toMatch(/[<>&\u2028]/);
    expect(JSON.parse(text)).toEqual(value);
  });
});

describe('raw', () => {
  it('refuses what would end its element', () => {
    expect(() => raw('a</script>')).toThrow('would end its element');
    expect(() => raw('a<!--')).toThrow('would end its element');
    expect(raw('a < b').toString()).toBe('a < b');
  });
});

describe('nameMarkup', () => {
  it('lets a name be broken before each slash; a name of slashes is one piece', () => {
    expect(nameMarkup('a/<b/c').toString()).toBe('<bdi>a<wbr>/&lt;b<wbr>/c</bdi>');
    expect(nameMarkup('/'.repeat(1000)).toString()).toBe(`<bdi>${'/'.repeat(1000)}</bdi>`);
  });
});
