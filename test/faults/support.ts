import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Everything, for docs/reliability.md; otherwise a part that takes a minute. */
export const ALL = process.env.BNFIX_FAULTS === 'all';

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
