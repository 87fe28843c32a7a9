import type { Page } from 'playwright-core';
import { beforeAll, expect, it } from 'vitest';
import { BAG_MODEL } from '../cli/support.js';
import { folderForTests, pageBy } from './pages.js';
import { describeInBrowser } from './support.js';

const at = folderForTests();
let path: string;
beforeAll(async () => {
  path = await pageBy('freeze', BAG_MODEL, at('freeze.html'));
});

const rowNames = (page: Page) => page.locator('#layers tbody:visible .name').allTextContents();

describeInBrowser('a page', (open) => {
  it('asks for nothing but itself, and breaks no rule of its policy', async () => {
    const { page, requests, errors } = await open(path);
    await page.locator('.opener').first().click();
    await page.locator('#next').click();
    await page.locator('#theme').click();
    await page.waitForTimeout(500);
    expect(requests.filter((url) => !/^(file|data):/.test(url))).toEqual([]);
    expect(requests.filter((url) => url.startsWith('file:'))).toHaveLength(1);
    expect(errors).toEqual([]);
  });

  it('says what was done, and how to do it again', async () => {
    const { page } = await open(path);
    expect(await page.title()).toBe('bag-model-34000.meta: Repaired all 4 batch norms');
    expect(await page.locator('h1').textContent()).toBe('Repaired all 4 batch norms');
    const command = (await page.locator('.command code').textContent())!;
    expect(command).toMatch(/^bnfix freeze \S*bag-model-34000\.meta --dry-run -q --html '.*freeze\.html'$/);
    const hashes = await page.locator('.files code').allTextContents();
    expect(hashes).toHaveLength(3);
    for (const hash of hashes) expect(hash).toMatch(/^[0-9a-f]{64}$/);
  });

  it('copies the command', async () => {
    const { page } = await open(path);
    await page.locator('.copy').first().click();
    await page.locator('.copy', { hasText: 'Copied' }).waitFor();
    await page.locator('#filter').focus();
    await page.keyboard.press('Control+V');
    expect(await page.locator('#filter').inputValue()).toBe(await page.locator('.command code').textContent());
  });

  it('sorts by any column, both ways, with the mouse and with the keyboard', async () => {
    const { page } = await open(path);
    const asSaved = await rowNames(page);
    const header = page.locator('#layers th', { hasText: /^Channels/ });
    await header.locator('button').click();
    expect(await header.getAttribute('aria-sort')).toBe('descending');
    await page.keyboard.press('Enter');
    expect(await header.getAttribute('aria-sort')).toBe('ascending');
    expect((await rowNames(page))[0]).toBe('decode/up1/BatchNorm');
    await page.locator('#layers th', { hasText: 'Batch norm' }).locator('button').click();
    expect(await rowNames(page)).toEqual([...asSaved].sort());
    expect(await header.getAttribute('aria-sort')).toBe(null);
    await page.locator('#layers th', { hasText: 'Moving variance' }).locator('button').click();
    expect(await rowNames(page)).toEqual([
      'decode/up1/BatchNorm',
      'conv2/BatchNorm',
      'conv1/conv1_2/BatchNorm',
      'conv1/conv1_1/BatchNorm',
    ]);
  });

  it('sorts the ops, and shows all of them', async () => {
    const { page } = await open(path);
    const rows = page.locator('.ops tbody tr:visible');
    expect(await rows.count()).toBe(14);
    await page.locator('.more').click();
    expect(await rows.count()).toBe(62);
    await page.locator('.ops th', { hasText: 'Op' }).first().locator('button').click();
    expect(await rows.first().locator('th').textContent()).toBe('Add');
  });

  it('filters by words and by label', async () => {
    const { page } = await open(path);
    await page.locator('#filter').fill('conv1 batch');
    expect(await rowNames(page)).toEqual(['conv1/conv1_1/BatchNorm', 'conv1/conv1_2/BatchNorm']);
    expect(await page.locator('#shown').textContent()).toBe('2 of 4 shown');
    await page.locator('#filter').fill('no such name');
    expect(await rowNames(page)).toEqual([]);
    await page.locator('#filter').fill('');
    expect(await rowNames(page)).toHaveLength(4);
    expect(await page.locator('#shown').textContent()).toBe('');
  });

  it('draws three histograms of a batch norm that is opened, in the colours of the theme', async () => {
    const { page } = await open(path, { colorScheme: 'light' });
    await page.locator('.opener').first().click();
    const histograms = page.locator('.histogram');
    expect(await histograms.locator('figcaption').allTextContents()).toEqual([
      'Moving mean',
      'Moving variance',
      'Effective scale',
    ]);
    const label = await histograms.first().locator('[role=img]').getAttribute('aria-label');
    expect(label).toMatch(/^Moving mean: histogram of 32 channels from −0\.251 to 0\.174, most of them near/);
    const light = await colorsOf(page);
    expect(light.size).toBeGreaterThan(3);
    await page.locator('#theme').click();
    await page.waitForTimeout(100);
    expect([...(await colorsOf(page))].sort()).not.toEqual([...light].sort());
    await histograms.first().locator('.u-over').hover();
    expect(await histograms.first().locator('.reading').textContent()).toMatch(/ to .*: \d+ channels$/);
  });

  it('has the theme of the system, changes it, and keeps the choice', async () => {
    const background = (page: Page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const { page } = await open(path, { colorScheme: 'dark' });
    const dark = await background(page);
    await page.getByRole('button', { name: 'Change to the light theme' }).click();
    const light = await background(page);
    expect(light).not.toBe(dark);
    await page.reload();
    expect(await background(page)).toBe(light);
    await page.getByRole('button', { name: 'Change to the dark theme' }).click();
    expect(await background(page)).toBe(dark);
  });

  it.each([1280, 400])('is as wide as the window: %d pixels', async (width) => {
    const { page } = await open(path, { viewport: { width, height: 800 } });
    await page.locator('.opener').first().click();
    await page.locator('#next').click();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
    const right = await page.evaluate(() =>
      Math.max(
        ...[...document.querySelectorAll('.inner, figure, .canvas')].map((each) => each.getBoundingClientRect().right),
      ),
    );
    expect(right).toBeLessThanOrEqual(width);
  });

  it('is readable without scripts', async () => {
    const { page } = await open(path, { javaScriptEnabled: false });
    expect(await page.locator('h1').textContent()).toBe('Repaired all 4 batch norms');
    expect(await page.locator('.facts').first().isVisible()).toBe(true);
    expect(await page.locator('#filter').isVisible()).toBe(false);
    expect(await page.locator('noscript').count()).toBe(1);
  });

  it('prints in light colours, without its tools', async () => {
    const { page, errors } = await open(path, { colorScheme: 'dark' });
    await page.locator('.opener').first().click();
    await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
    await page.emulateMedia({ media: 'print' });
    expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe('light');
    for (const hidden of ['header', '#filter', '#find', '.copy'])
      expect(await page.locator(hidden).first().isVisible()).toBe(false);
    for (const shown of ['h1', '#layers', '.histogram', '#drawing'])
      expect(await page.locator(shown).first().isVisible()).toBe(true);
    expect(await page.locator('.ops tbody tr:visible').count()).toBe(62);
    await page.evaluate(() => dispatchEvent(new Event('afterprint')));
    expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe(undefined);
    expect((await page.pdf()).length).toBeGreaterThan(20_000);
    expect(errors).toEqual([]);
  });
});

/** The colours in the first histogram. */
async function colorsOf(page: Page): Promise<Set<string>> {
  const colors = await page.evaluate(() => {
    const canvas = document.querySelector('canvas')!;
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
    const found = new Map<string, number>();
    for (let i = 0; i < data.length; i += 4) {
      if (data[i + 3] !== 255) continue;
      const color = `${data[i]},${data[i + 1]},${data[i + 2]}`;
      found.set(color, (found.get(color) ?? 0) + 1);
    }
    return [...found]
      .sort((a, b) => b[1] - a[1])
      .slice(0, 8)
      .map(([color]) => color);
  });
  return new Set(colors);
}
