import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe } from 'vitest';

const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const PATH = [process.env.CHROMIUM, ...PATHS].find((path) => path && existsSync(path));

/** A page that was opened, and what it did. */
export interface Opened {
  readonly page: Page;
  /** Every address that it asked for. */
  readonly requests: readonly string[];
  /** Errors, of scripts and of the Content-Security-Policy. */
  readonly errors: readonly string[];
}

/** How a page is opened. */
export type OpenPage = (path: string, options?: BrowserContextOptions) => Promise<Opened>;

/** Tests in Chromium; they are skipped, with a word, where there is none. */
export function describeInBrowser(name: string, tests: (open: OpenPage) => void): void {
  if (PATH === undefined) console.warn(`${name}: skipped, Chromium not found (CHROMIUM=PATH names one)`);
  describe.skipIf(PATH === undefined)(name, () => {
    let browser: Browser;
    beforeAll(async () => {
      const args = ['--no-sandbox', '--disable-gpu', '--disable-background-networking'];
      browser = await chromium.launch({ executablePath: PATH!, args });
    });
    afterAll(() => browser?.close());
    tests((path, options) => openPage(browser, path, options));
  });
}

async function openPage(browser: Browser, path: string, options: BrowserContextOptions = {}): Promise<Opened> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
  const requests: string[] = [];
  const errors: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('pageerror', ({ message }) => errors.push(message));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  await page.goto(pathToFileURL(path).href);
  return { page, requests, errors };
}
