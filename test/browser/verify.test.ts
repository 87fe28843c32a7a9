import { writeFileSync } from 'node:fs';
import { beforeAll, expect, it } from 'vitest';
import { writePng } from '../../src/cli/data/image.js';
import { BAG_MODEL, cli } from '../cli/support.js';
import { folderForTests, pageBy } from './pages.js';
import { describeInBrowser } from './support.js';

const at = folderForTests();
let right: string;
let wrong: string;
beforeAll(async () => {
  const pixels = Uint8Array.from({ length: 16 * 16 * 3 }, (_, i) => (i * 37) % 256);
  writeFileSync(at('photo.png'), writePng(16, 16, 3, pixels));
  writeFileSync(
    at('other.png'),
    writePng(
      16,
      16,
      3,
      pixels.toReversed().map((value) => value >> 1),
    ),
  );
  const data = ['--input', at('photo.png'), '--input', at('other.png'), '--scale', '0.00392156862745098'];
  right = await pageBy('verify', BAG_MODEL, at('right.html'), '--fold', ...data);
  // A graph whose batch norms still use batch statistics.
  await cli(['freeze', BAG_MODEL, '--keep', '*', '-o', at('kept.pb'), '-q']);
  await cli(['verify', BAG_MODEL, at('kept.pb'), '--html', at('wrong.html')]);
  wrong = at('wrong.html');
});

describeInBrowser('the page of a verification', (open) => {
  it('shows the input, and what both graphs make of it', async () => {
    const { page, requests, errors } = await open(right);
    expect(await page.locator('h1').textContent()).toBe('Verified: 4 of 4 proofs passed, 4 batch norms compared');
    expect(await page.locator('.said p').nth(1).textContent()).toMatch(
      /^An example outputs the same alone and in a batch; in the saved graph it changes by up to 0\.\d+\.$/,
    );
    const captions = await page.locator('[aria-label="Example 2"] figcaption').allTextContents();
    expect(captions).toEqual([
      'Input input/image_input',
      'Graph as saved output/image_output:0',
      'Repaired graph output/image_output:0',
    ]);
    // The images are there, and differ from each other.
    const images = await page.locator('[aria-label="Example 1"] img').evaluateAll((all) =>
      (all as HTMLImageElement[]).map(({ naturalWidth, naturalHeight, src }) => ({
        naturalWidth,
        naturalHeight,
        src,
      })),
    );
    expect(images.map(({ naturalWidth, naturalHeight }) => [naturalWidth, naturalHeight])).toEqual(
      Array(3).fill([16, 16]),
    );
    expect(new Set(images.map(({ src }) => src)).size).toBe(3);
    expect(requests.filter((url) => !/^(file|data):/.test(url))).toEqual([]);
    expect(errors).toEqual([]);
  });

  it('has the hashes of the data as well', async () => {
    const { page } = await open(right);
    expect(await page.locator('.files bdi').allTextContents()).toContain(at('photo.png'));
    for (const hash of await page.locator('.files code').allTextContents()) expect(hash).toMatch(/^[0-9a-f]{64}$/);
  });

  it('sorts the batch norms by their error', async () => {
    const { page } = await open(right);
    await page.locator('#compared th', { hasText: 'Largest error' }).locator('button').click();
    const errors = await page.locator('#compared tbody td:nth-child(7)').allTextContents();
    expect(errors).toHaveLength(4);
    expect(errors.map(Number)).toEqual(errors.map(Number).sort((a, b) => b - a));
  });

  it('says what is wrong, and where', async () => {
    const { page } = await open(wrong);
    expect(await page.locator('.verdict').getAttribute('class')).toBe('verdict bad');
    expect(await page.locator('h1').textContent()).toBe('WRONG: 3 of 3 proofs failed, 4 batch norms compared');
    expect(await page.locator('.said').textContent()).toContain(
      'conv1/conv1_1/BatchNorm/FusedBatchNorm:0 (batch norm conv1/conv1_1/BatchNorm/FusedBatchNorm) is the first tensor that differs, by ',
    );
    const [first, second] = await page.locator('#compared tbody tr').allTextContents();
    expect(first).toContain('the first that differs');
    expect(second).not.toContain('the first that differs');
    expect(await page.locator('#compared .bad').count()).toBe(4);
  });

  it.each([1280, 400])('is as wide as the window: %d pixels', async (width) => {
    const { page } = await open(right, { viewport: { width, height: 800 } });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
  });

  it('is readable without scripts, and printed with its pictures', async () => {
    const { page } = await open(right, { javaScriptEnabled: false });
    await page.emulateMedia({ media: 'print' });
    for (const shown of ['#proofs', '.picture img', '#outputs', '#compared'])
      expect(await page.locator(shown).first().isVisible()).toBe(true);
  });
});
