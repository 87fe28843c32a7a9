import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach } from 'vitest';
import type { Command } from '../../src/cli/commands.js';
import { run } from '../../src/cli/run.js';
import { Terminal } from '../../src/cli/terminal.js';
import { MAIN } from './build.js';

/** What a run of the CLI did. */
export interface Outcome {
  /** Null when a signal ended the process. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly bytes: Buffer;
}

export function fixture(path: string): string {
  return fileURLToPath(new URL(`../fixtures/${path}`, import.meta.url));
}

export const BAG_MODEL = fileURLToPath(new URL('../../examples/bag-model/bag-model-34000.meta', import.meta.url));

class Collector extends Writable {
  readonly chunks: Buffer[] = [];
  readonly isTTY: boolean;

  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.chunks.push(Buffer.from(chunk));
    done();
  }
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly isTTY?: boolean;
  /** Keys that are pressed, if stdin is a terminal as well. */
  readonly stdin?: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly commands?: readonly Command[];
}

/** Runs a command line in this process. */
export async function cli(
  args: readonly string[],
  { env = {}, isTTY = false, stdin, commands }: CliOptions = {},
): Promise<Outcome> {
  const [stdout, stderr] = [new Collector(isTTY), new Collector(isTTY)];
  const code = await run(
    args,
    new Terminal({ stdout, stderr, env, ...(stdin && { stdin }) }),
    commands ? { commands } : {},
  );
  const bytes = Buffer.concat(stdout.chunks);
  return { code, bytes, stdout: bytes.toString(), stderr: Buffer.concat(stderr.chunks).toString() };
}

export interface SpawnOptions {
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Called while the process runs. */
  readonly meanwhile?: (kill: (signal: NodeJS.Signals) => void) => Promise<void>;
}

/** Runs the built CLI (see ensureBuilt), or another command, as a process of its own. */
export async function spawnCli(args: readonly string[], options: SpawnOptions = {}): Promise<Outcome> {
  const [program, ...before] = options.command ?? [process.execPath, MAIN];
  const child = spawn(program!, [...before, ...args], { cwd: options.cwd, env: { ...process.env, ...options.env } });
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  await options.meanwhile?.((signal) => child.kill(signal));
  const code = await ended;
  const bytes = Buffer.concat(stdout);
  return { code, bytes, stdout: bytes.toString(), stderr: Buffer.concat(stderr).toString() };
}

/** A folder for each test, with a space in its name. Returns what makes a path in it. */
export function temporaryFolder(): (name?: string) => string {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bnfix cli '));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  return (name = '') => join(folder, name);
}
