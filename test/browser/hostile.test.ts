import { beforeAll, expect, it } from 'vitest';
import { printable } from '../../src/printable.js';
import { type NameOf, netOf } from '../support/plain_net.js';
import { folderForTests, hostilePage, NAME } from './pages.js';
import { describeInBrowser } from './support.js';

const NAMES: readonly (readonly [what: string, name: string])[] = [
  ['the end of a script', '</script><script>window.pwned = 1</script>'],
  ['an image', `"'><img src=x onerror="window.pwned = 1">`],
  ['a comment', '<!--<script>'],
  ['entities', '&lt;b&gt;&amp;&#60;'],
  ['quotes', `a"b'c\`d\${window.pwned = 1}`],
  ['a title', '</title></textarea></style><svg onload=window.pwned=1>'],
  ['control characters', 'a\u0000b\u0007c\u001b[31md\u0085e'],
  ['right to left', 'abc\u202efed\u202c\u05d0\u05d1\u2066x'],
  ['without width', 'a\u200bb\ufeffc\u2028d'],
  ['a line break', 'first\nsecond'],
  ['10,000 characters', 'x'.repeat(10_000)],
  ['10,000 slashes', 'a/'.repeat(10_000)],
  ['names of JavaScript', '__proto__/constructor'],
];

const at = folderForTests();

describeInBrowser('names of nodes', (open) => {
  let paths: ReadonlyMap<string, string>;
  beforeAll(() => {
    const nameOf: NameOf = (layer, node) => `${NAME}${layer}${node}`;
    const graph = netOf(2, nameOf, `${NAME}Op`);
    paths = new Map(
      NAMES.map(([what, name], i) => [what, hostilePage(graph, nameOf(2, 'relu'), at(`${i}.html`), name)]),
    );
  });

  it.each(NAMES)('are text and nothing else: %s', async (what, name) => {
    const { page, requests, errors } = await open(paths.get(what)!);
    const own = `${name}1bn`;
    await page.locator('#next').click();
    expect(await page.locator('#node h3').textContent()).toBe(printable(own));
    await page.locator('.opener').first().click();
    const facts = await page.locator('#layers tbody').first().locator('.facts code').allTextContents();
    expect(facts).toContain(printable(own));
    // Search is for what a name contains.
    await page.locator('#find').fill('1relu');
    expect(await page.locator('#hits bdi').first().textContent()).toBe(printable(`${name}1relu`));
    expect(await page.evaluate(() => 'pwned' in window)).toBe(false);
    const elements = await page.evaluate(
      () => document.querySelectorAll('script, img, iframe, object, style, link, meta, base, form').length,
    );
    // Style, icon, six metas, data, script, a picture.
    expect(elements).toBe(11);
    expect(await page.locator('main > section').count()).toBe(9);
    const shown = printable(name);
    expect(await page.locator('.picture img').getAttribute('alt')).toBe(`Example 1, repaired graph: ${shown}`);
    expect((await page.locator('#compared tbody .name').allTextContents())[0]).toBe(shown);
    expect(await page.locator('#proofs').textContent()).toContain(
      `${shown} (batch norm ${shown}) is the first tensor that differs, by 1.0`,
    );
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(1280);
    expect(requests).toHaveLength(1);
    expect(errors).toEqual([]);
  });
});
