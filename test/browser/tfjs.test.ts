import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import type * as converter from '@tensorflow/tfjs-converter';
import type * as core from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Quantization } from '../../src/formats/destination.js';
import { writeModel } from '../../src/formats/write_model.js';
import { fold } from '../../src/freezing/fold.js';
import { load } from '../../src/load.js';
import { runGraph } from '../../src/run/run.js';
import { BAG_MODEL } from '../cli/support.js';
import { counting, floats } from '../support/run.js';
import { folderForTests } from './pages.js';
import { describeInBrowser } from './support.js';

const require = createRequire(import.meta.url);
const at = folderForTests();
const SCRIPTS = ['core', 'backend-cpu', 'backend-wasm', 'converter'];

let server: Server;
let origin: string;
beforeAll(async () => {
  server = createServer((request, response) => {
    const path = decodeURI(request.url!);
    try {
      const file = path.startsWith('/tfjs-') ? inPackage(path.slice(1)) : at(path.slice(1));
      response.setHeader(
        'content-type',
        /\.\w+$/.exec(path)?.[0] === '.html' ? 'text/html' : 'application/octet-stream',
      );
      response.end(readFileSync(file));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const tags = SCRIPTS.map((name) => `<script src="/tfjs-${name}/tf-${name}.min.js"></script>`);
  writeFileSync(at('page.html'), `<!doctype html><title>bnfix</title>${tags.join('')}`);
});
afterAll(() => server.close());

/** A file of a package of TensorFlow.js, as it is published for pages. */
function inPackage(path: string): string {
  const [name, file] = path.split('/') as [string, string];
  return join(dirname(require.resolve(`@tensorflow/${name}/package.json`)), 'dist', file);
}

/** A picture: numbers from 0 to 1. */
const IMAGE = floats(
  [1, 16, 12, 3],
  counting([1, 16, 12, 3]).map((x) => x - Math.floor(x)),
);

/** Writes the folded model of the demo. @returns what the graph outputs */
async function written(name: string, quantize?: Quantization): Promise<readonly number[]> {
  using model = await load(BAG_MODEL);
  const folded = fold(model);
  mkdirSync(at(name), { recursive: true });
  await writeModel(at(name), folded, { format: 'tfjs', force: true, ...(quantize && { quantize }) });
  const { image } = await runGraph(folded.graph, { 'input/image_input': IMAGE }, ['output/image_output']).then(
    (outputs) => ({ image: outputs['output/image_output']! }),
  );
  return [...(image.data as Float32Array)];
}

describeInBrowser('a page that loads a model.json', (open) => {
  it.each([
    ['cpu', undefined, 1e-5],
    ['wasm', undefined, 1e-5],
    ['cpu', 'float16', 2e-3],
    ['wasm', 'uint8', 0.1],
  ] as const)('computes what the graph outputs: %s, %s', async (backend, quantize, tolerance) => {
    const name = `${backend} ${quantize ?? 'whole'}`;
    const expected = await written(name, quantize);
    const { page } = await open(at('page.html'));
    await page.goto(`${origin}/page.html`);
    const result = await page.evaluate(
      async ({ url, backend, image, shape }) => {
        const { tf } = window as unknown as {
          tf: typeof core & typeof converter & { wasm: { setWasmPaths(path: string): void } };
        };
        tf.wasm.setWasmPaths('/tfjs-backend-wasm/');
        await tf.setBackend(backend);
        const model = await tf.loadGraphModel(url);
        const output = model.execute(
          { 'input/image_input': tf.tensor(image, shape) },
          'output/image_output',
        ) as core.Tensor;
        const predicted = model.predict(tf.tensor(image, shape)) as core.Tensor;
        return { data: [...(await output.data())], predicted: [...(await predicted.data())], backend: tf.getBackend() };
      },
      {
        url: `${origin}/${encodeURIComponent(name)}/model.json`,
        backend,
        image: [...(IMAGE.data as Float32Array)],
        shape: [...IMAGE.shape],
      },
    );
    expect(result.backend).toBe(backend);
    expect(result.predicted).toEqual(result.data);
    expect(result.data).toHaveLength(expected.length);
    const off = Math.max(...expected.map((value, i) => Math.abs(value - result.data[i]!)));
    expect(off).toBeLessThanOrEqual(tolerance);
  });
});
