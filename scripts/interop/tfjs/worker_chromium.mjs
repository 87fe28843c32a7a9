// TensorFlow.js in Chromium: worker_chromium.mjs wasm|cpu. Reads jobs a line each, as worker.py does.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { rolldown } from 'rolldown';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const wasm = dirname(fileURLToPath(import.meta.resolve('@tensorflow/tfjs-backend-wasm')));

const script = await bundled();
const server = createServer(answer);
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const origin = `http://127.0.0.1:${server.address().port}`;
const browser = await chromium.launch({
  executablePath,
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
});
let page = await opened();

for await (const line of createInterface({ input: process.stdin })) {
  const job = await withTruths(JSON.parse(line));
  // A page that fails a job is not used for another.
  const result = await page
    .evaluate((one) => globalThis.run(one), job)
    .catch((error) => {
      return { verdict: 'fails', error: error.name, text: error.message.slice(0, 300) };
    });
  process.stdout.write(`${JSON.stringify(result)}\n`);
  if (result.verdict === 'fails') {
    await page.close();
    page = await opened();
  }
}
await browser.close();
server.close();

async function opened() {
  const one = await browser.newPage();
  await one.goto(origin);
  await one.evaluate((backend) => globalThis.start(backend), process.argv[2] ?? 'wasm');
  return one;
}

async function withTruths(job) {
  if (!job.models) return { ...job, golden: JSON.parse(await readFile(job.truth, 'utf8')) };
  const models = {};
  for (const [name, one] of Object.entries(job.models)) models[name] = await withTruths(one);
  return { ...job, models };
}

/** The page, its script, the WebAssembly of TensorFlow.js, and folders of models by their paths. */
async function answer({ url }, response) {
  const [, kind, path, file] = url.split('/');
  try {
    if (kind === 'models') response.end(await readFile(join(decodeURIComponent(path), file)));
    else if (kind === 'wasm')
      response.setHeader('content-type', 'application/wasm').end(await readFile(join(wasm, path)));
    else if (kind === 'page.js') response.setHeader('content-type', 'text/javascript').end(script);
    else
      response
        .setHeader('content-type', 'text/html')
        .end('<!doctype html><script type="module" src="/page.js"></script>');
  } catch {
    response.writeHead(404).end();
  }
}

async function bundled() {
  const input = fileURLToPath(new URL('page.mjs', import.meta.url));
  const build = await rolldown({ input, platform: 'browser', logLevel: 'silent' });
  const { output } = await build.generate({ format: 'esm' });
  return output[0].code;
}
