import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileSource, MemorySource } from '../src/io/source.js';
import { readGraphDef } from '../src/readers/graph_def.js';
import { readMetaGraph } from '../src/readers/meta_graph.js';
import { encodeGraphDef } from '../src/writers/graph_def.js';

const real = new URL('../../shared/real', import.meta.url).pathname;
describe('round trip', () => {
  for (const dir of existsSync(real) ? readdirSync(real) : []) {
    if (dir.endsWith('.md')) continue;
    for (const file of readdirSync(join(real, dir)).filter((f) => /\.(meta|pb)$/.test(f))) {
      it(`${dir}/${file}`, () => {
        const t0 = performance.now();
        const source = new FileSource(join(real, dir, file));
        const graph = file.endsWith('.pb') ? readGraphDef(source) : readMetaGraph(source).graph;
        const once = Buffer.concat([...encodeGraphDef(graph, { fileOrder: true }).chunks()].map((c) => c.slice()));
        const again = Buffer.concat([
          ...encodeGraphDef(readGraphDef(new MemorySource(once)), { fileOrder: true }).chunks(),
        ]);
        console.log(file, graph.size, source.size, once.length, performance.now() - t0);
        expect(again.equals(once)).toBe(true);
      });
    }
  }
});
