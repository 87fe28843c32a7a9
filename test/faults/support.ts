import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, ftruncateSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { attr } from '../../src/graph/attrs.js';
import { DataType } from '../../src/graph/dtype.js';
import { Graph } from '../../src/graph/graph.js';
import { encodeGraphDef } from '../../src/writers/graph_def.js';

/** Everything, for docs/reliability.md; otherwise a part that takes a minute. */
export const ALL = process.env.BNFIX_FAULTS === 'all';

/** Writes a frozen graph with this many bytes of weights, all 0: the file has a hole in place of them. */
export function writeBigModel(path: string, megabytes: number): void {
  const zeros = new Uint8Array(1024 * 1024);
  const weights = {
    dtype: DataType.DT_FLOAT,
    shape: [1024, 256 * megabytes],
    byteLength: zeros.length * megabytes,
    chunks: () => Array.from({ length: megabytes }, () => zeros),
    strings: () => [],
  };
  const T = attr.type(DataType.DT_FLOAT);
  const graph = new Graph([
    { name: 'x', op: 'Placeholder', attr: { dtype: T, shape: attr.shape([-1, 1024]) } },
    { name: 'w', op: 'Const', tensor: weights, attr: { dtype: T } },
    { name: 'y', op: 'MatMul', inputs: ['x', 'w'].map((node) => ({ node, port: 0 })), attr: { T } },
  ]);
  const file = openSync(path, 'w');
  let offset = 0;
  for (const chunk of encodeGraphDef(graph).chunks()) {
    if (chunk !== zeros) writeSync(file, chunk, 0, chunk.length, offset);
    offset += chunk.length;
  }
  ftruncateSync(file, offset);
  closeSync(file);
}

export function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** Temporary files of bnfix in a folder. */
export function leftovers(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.startsWith('.bnfix-'));
}

/** Numbers from 0 to 1 with a fixed seed: a linear congruential generator. */
export function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}

/** Whether a program is installed. */
export function has(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}

/** Builds shim.c. @returns the path of the library; undefined without a C compiler */
export function buildShim(): string | undefined {
  if (process.platform !== 'linux' || !has('cc')) return undefined;
  // LD_PRELOAD is a list separated by spaces.
  const library = join(mkdtempSync(join(tmpdir(), 'bnfix-shim-')), 'shim.so');
  const source = fileURLToPath(new URL('shim.c', import.meta.url));
  const { status } = spawnSync('cc', ['-shared', '-fPIC', '-o', library, source, '-ldl']);
  return status === 0 ? library : undefined;
}

/** Mounts a file system for a test. @returns what unmounts it; undefined if that is not permitted */
export function mount(folder: string, ...args: string[]): (() => void) | undefined {
  if (process.platform !== 'linux' || spawnSync('mount', [...args, folder]).status !== 0) return undefined;
  return () => spawnSync('umount', ['-l', folder]);
}

/** Whether file systems can be mounted here. */
export const CAN_MOUNT = tryMount();

function tryMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'bnfix-mount-'));
  const unmount = mount(folder, '-t', 'tmpfs', '-o', 'size=16k', 'tmpfs');
  unmount?.();
  rmSync(folder, { recursive: true });
  return unmount !== undefined;
}
