// Graphs of tiny nodes take memory of V8, which has a limit.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { tensorflow } from '../../src/proto/tensorflow.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'bnfix-heap-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Megabytes for V8's own objects, and nodes. */
const [HEAP, NODES] = [128, 100_000];
const attr = { T: { type: tensorflow.DataType.DT_FLOAT } };
const placeholder = (name: string, type: number) => ({ name, op: 'Placeholder', attr: { dtype: { type } } });
const x = placeholder('x', tensorflow.DataType.DT_FLOAT);
const chainOf = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ name: `n${i}`, op: 'Relu', input: [i === 0 ? 'x' : `n${i - 1}`], attr }));

/** Writes a graph. @returns its path */
function graphFile(name: string, node: tensorflow.NodeDef.$Properties[]): string {
  const path = join(folder, `${name}.pb`);
  writeFileSync(path, tensorflow.GraphDef.encode({ node }).finish());
  return path;
}

it(`freezes ${NODES} nodes with a heap of ${HEAP} MB`, { timeout: 120_000 }, () => {
  const graph = graphFile('graph', [x, ...chainOf(NODES)]);
  const target = join(folder, 'frozen.pb');
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

/** Peak memory of `check` in MiB. */
function peakOf(graph: string): number {
  const hook = 'data:text/javascript,process.on("exit",()=>console.error("peak",process.resourceUsage().maxRSS))';
  const { stderr } = spawnSync(process.execPath, ['--import', hook, MAIN, 'check', graph], { encoding: 'utf8' });
  return Number(/^peak (\d+)$/m.exec(stderr)![1]) / 1024;
}

/** Flags, each in the branch of the one before. */
function nestedFlags(count: number): tensorflow.NodeDef.$Properties[] {
  const each = Array.from({ length: count }, (_, i) => i);
  return [
    x,
    ...each.map((i) => placeholder(`p${i}`, tensorflow.DataType.DT_BOOL)),
    ...each.map((i) => ({ name: `s${i}`, op: 'Switch', input: [i === 0 ? 'x' : `s${i - 1}:1`, `p${i}`], attr })),
    ...each.map((i) => ({
      name: `m${i}`,
      op: 'Merge',
      input: [`s${i}`, i + 1 < count ? `m${i + 1}` : `s${i}:1`],
      attr: { ...attr, N: { i: 2 } },
    })),
  ];
}

describe('the budget of the fuzzer: 64 MiB and four times the file, over a graph of two nodes', () => {
  it.each([
    ['50,000 nodes in a row', () => [x, ...chainOf(50_000)]],
    ['4,000 flags in the branches of other flags', () => nestedFlags(4000)],
  ])('%s', { timeout: 120_000 }, (name, make) => {
    const graph = graphFile(name, make());
    const over = peakOf(graph) - peakOf(graphFile('tiny', [x, ...chainOf(1)]));
    if (process.env.BNFIX_SCALE) console.log(`${over.toFixed(0)} MiB`);
    expect(over).toBeLessThan(64 + (4 * statSync(graph).size) / 2 ** 20);
  });
});
