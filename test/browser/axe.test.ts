import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { beforeAll, expect, it } from 'vitest';
import { BAG_MODEL } from '../cli/support.js';
import { folderForTests, pageBy } from './pages.js';
import { describeInBrowser } from './support.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const at = folderForTests();
const pages: Record<string, string> = {};
beforeAll(async () => {
  for (const command of ['freeze', 'fold', 'verify'])
    pages[command] = await pageBy(command, BAG_MODEL, at(`${command}.html`));
});

describeInBrowser('axe finds nothing to complain about', (open) => {
  const cases = ['freeze', 'fold', 'verify'].flatMap((command) =>
    (['light', 'dark'] as const).flatMap((colorScheme) =>
      [1280, 400].map((width) => [command, colorScheme, width] as const),
    ),
  );

  it.each(cases)('%s, %s, %d pixels', async (command, colorScheme, width) => {
    const { page } = await open(pages[command]!, { colorScheme, viewport: { width, height: 800 }, bypassCSP: true });
    for (const opener of await page.locator('.opener').all()) await opener.click();
    await page.locator('#next').click();
    await page.locator('#find').fill('conv');
    await page.evaluate(AXE);
    const violations = await page.evaluate(async () => {
      const { axe } = window as unknown as {
        axe: { run(): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }> };
      };
      const { violations } = await axe.run();
      return violations.map(
        ({ id, nodes }) =>
          `${id}: ${nodes
            .slice(0, 3)
            .map(({ html, failureSummary }) => `${html.slice(0, 200)} ${failureSummary}`)
            .join('; ')}`,
      );
    });
    expect(violations).toEqual([]);
  });
});
