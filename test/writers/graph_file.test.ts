import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { freeze, load, writeGraph } from '../../src/index.js';
import { graphFormat } from '../../src/writers/graph_file.js';

it('knows text by its name', () => {
  const formats = ['a.pb', 'a', 'a.bytes', 'a.pbtxt', 'a.PBTXT', 'a.pb.txt', 'a.prototxt', 'a.txt'].map(graphFormat);
  expect(formats).toEqual(['pb', 'pb', 'pb', 'pbtxt', 'pbtxt', 'pbtxt', 'pbtxt', 'pb']);
});

it('is what the library writes with: load, freeze, writeGraph', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bnfix '));
  const model = await load(fileURLToPath(new URL('../../examples/bag-model/bag-model-34000.meta', import.meta.url)));
  try {
    const frozen = freeze(model);
    const seen: number[] = [];
    const size = await writeGraph(join(folder, 'a.pb'), frozen, { onProgress: (bytes) => seen.push(bytes) });
    expect(size).toBe(frozen.report.after.bytes);
    expect(seen.at(-1)).toBe(size);
    expect(readFileSync(join(folder, 'a.pb')).length).toBe(size);
    await writeGraph(join(folder, 'a.pbtxt'), frozen);
    expect(readFileSync(join(folder, 'a.pbtxt'), 'utf8')).toMatch(/^node \{\n/);
    await expect(writeGraph(join(folder, 'a.pb'), frozen)).rejects.toMatchObject({ code: 'unwritable' });
  } finally {
    model.close();
    rmSync(folder, { recursive: true });
  }
});
