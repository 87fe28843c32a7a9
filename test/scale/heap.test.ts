// Graphs of tiny nodes take memory of V8, which has a limit.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { tensorflow } from '../../src/proto/tensorflow.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'bnfix-heap-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Megabytes for V8's own objects, and nodes. */
const [HEAP, NODES] = [128, 100_000];

it(`freezes ${NODES} nodes with a heap of ${HEAP} MB`, { timeout: 120_000 }, () => {
  const attr = { T: { type: tensorflow.DataType.DT_FLOAT } };
  const chain = Array.from({ length: NODES }, (_, i) => ({
    name: `n${i}`,
    op: 'Relu',
    input: [i === 0 ? 'x' : `n${i - 1}`],
    attr,
  }));
  const x = { name: 'x', op: 'Placeholder', attr: { dtype: attr.T } };
  const [graph, target] = ['graph.pb', 'frozen.pb'].map((name) => join(folder, name)) as [string, string];
  writeFileSync(graph, tensorflow.GraphDef.encode({ node: [x, ...chain] }).finish());
  const args = [
    `--max-old-space-size=${HEAP}`,
    MAIN,
    'freeze',
    graph,
    '--outputs',
    `n${NODES - 1}`,
    '-o',
    target,
    '--json',
  ];
  const report = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
  expect(report.error).toBeUndefined();
  expect(statSync(target).size).toBeGreaterThan(NODES * 10);
});
