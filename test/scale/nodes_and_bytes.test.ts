// Ratios, not times: they hold on a slow machine as well. Each has three attempts, because a busy machine may disturb one.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freeze } from '../../src/freezing/freeze.js';
import { load } from '../../src/load.js';
import { ensureBuilt, MAIN, PLAIN_ENV } from '../cli/build.js';
import { bestRatio, cpuSeconds } from './measure.js';

interface ModelOptions {
  readonly layers: number;
  readonly channels: number;
  readonly kernel?: number;
  readonly units?: number;
  readonly nodesPerLayer?: number;
}
type WriteModel = (prefix: string, options: ModelOptions) => { readonly nodes: number; readonly bytes: number };

let folder: string;
let writeModel: WriteModel;
beforeAll(async () => {
  await ensureBuilt();
  // Of the bench, which runs on dist/.
  const bench = new URL('../../scripts/bench/model.mjs', import.meta.url).href;
  ({ writeModel } = (await import(bench)) as { writeModel: WriteModel });
  folder = mkdtempSync(join(tmpdir(), 'bnfix scale '));
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string) => join(folder, name);

describe('cost grows with the number of nodes, no faster', () => {
  const LIMIT = 2;

  async function secondsPerNode(layers: number): Promise<number> {
    const prefix = at(`nodes-${layers}`);
    const { nodes } = writeModel(prefix, { layers, channels: 2, kernel: 1, nodesPerLayer: 100 });
    const times: number[] = [];
    for (let run = 0; run < 3; run++) {
      const model = await load(`${prefix}.meta`);
      times.push(cpuSeconds(() => freeze(model)));
      model.close();
    }
    return Math.min(...times) / nodes;
  }

  // More than the processor's cache holds: below that, a node costs half as much.
  it('10,000 and 40,000 nodes with 100 and 400 batch norms take the same time per node', async () => {
    await secondsPerNode(10);
    const ratio = await bestRatio(LIMIT, async () => (await secondsPerNode(400)) / (await secondsPerNode(100)));
    expect(ratio).toBeLessThan(LIMIT);
  }, 120_000);
});

/** Peak memory of a command of the built CLI, in KiB. */
function peakOf(args: readonly string[]): number {
  const hook = 'data:text/javascript,process.on("exit",()=>console.error("peak",process.resourceUsage().maxRSS))';
  const command = `"$0" --import '${hook}' "$@" 2>&1 >/dev/null`;
  const text = execFileSync('/bin/sh', ['-c', command, process.execPath, MAIN, ...args], { encoding: 'utf8' });
  return Number(/^peak (\d+)$/m.exec(text)![1]);
}

describe.skipIf(process.platform === 'win32')('memory does not grow with the weights', () => {
  const LIMIT = 1.5;
  const units = (megabytes: number) => Math.round((megabytes * 1e6) / (4 * 256));

  it.each(['freeze', 'fold'])(
    '%s takes as much for 200 MB as for 20 MB',
    async (command) => {
      for (const size of [20, 200]) writeModel(at(`size-${size}`), { layers: 4, channels: 256, units: units(size) });
      const peak = (size: number) => peakOf([command, `${at(`size-${size}`)}.meta`, '-o', at('out.pb'), '--force']);
      const ratio = await bestRatio(LIMIT, () => peak(200) / peak(20));
      expect(ratio).toBeLessThan(LIMIT);
      rmSync(at('out.pb'));
    },
    120_000,
  );
});

describe('the start', () => {
  it('starts in a few times the time of Node itself', async () => {
    const prefix = at('small');
    writeModel(prefix, { layers: 3, channels: 4 });
    const fastest = (args: readonly string[]) => {
      const times = Array.from({ length: 5 }, () => {
        const start = performance.now();
        execFileSync(process.execPath, args, { stdio: 'ignore', env: PLAIN_ENV });
        return performance.now() - start;
      });
      return Math.min(...times);
    };
    const run = [MAIN, 'freeze', `${prefix}.meta`, '-o', at('small.pb'), '--force'];
    // Node 20 keeps no compiled code: it compiles the bundle at every start, with little memory for new objects (src/cli/main.ts).
    expect(await bestRatio(4.5, () => fastest(run) / fastest(['-e', '0']))).toBeLessThan(4.5);
  }, 60_000);
});
