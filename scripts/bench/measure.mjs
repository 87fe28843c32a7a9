// Whole processes: wall time, processor time and peak memory, as the operating system accounts for them.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const TIME = '/usr/bin/time';

/** @returns wall and cpu in seconds, peak in MiB (undefined where GNU time is not installed) */
function once({ name, command, args, output, warm, keep = false, env = {} }) {
  if (output) rmSync(output, { force: true });
  // A virtual machine's host takes memory back that is free for a second or two. Nobody shall pay for getting it again.
  if (warm) {
    copyFileSync(warm, output);
    rmSync(output);
  }
  // What others have written is not to be written to the disk while this one is timed.
  if (process.platform !== 'win32') spawnSync('sync');
  const folder = mkdtempSync(join(tmpdir(), 'bnfix-bench-'));
  const report = join(folder, 'time');
  const timed = existsSync(TIME);
  const argv = timed ? [TIME, '-f', '%U %S %M', '-o', report, command, ...args] : [command, ...args];
  const start = process.hrtime.bigint();
  const { status, stderr, error } = spawnSync(argv[0], argv.slice(1), {
    encoding: 'utf8',
    maxBuffer: 1e8,
    env: { ...process.env, ...env },
  });
  const wall = Number(process.hrtime.bigint() - start) / 1e9;
  const numbers = timed && existsSync(report) ? readFileSync(report, 'utf8').trim().split('\n').at(-1).split(' ') : [];
  rmSync(folder, { recursive: true });
  // Or the system would still be writing it while the next command runs.
  if (output && !keep) rmSync(output, { force: true });
  if (status !== 0) throw new Error(`${name} ended with ${status ?? error}:\n${stderr.slice(-2000)}`);
  const [user, system, kib] = numbers.map(Number);
  return {
    wall,
    cpu: user === undefined ? undefined : user + system,
    peak: kib === undefined ? undefined : kib / 1024,
  };
}

/**
 * Runs commands in turn, again and again, so that a change of the machine's speed hits all of them; the first round is
 * not counted. A command with `runs` is run fewer times.
 * @returns the runs of each, by name
 */
export function measure(commands, rounds, log = () => {}) {
  const runs = Object.fromEntries(commands.map(({ name }) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (const command of commands) {
      const { name, runs: limit = Number.POSITIVE_INFINITY } = command;
      if (limit === Number.POSITIVE_INFINITY ? false : round < 0 || round >= limit) continue;
      const result = once(command);
      if (round >= 0) runs[name].push(result);
      log(`${name}: ${result.wall.toFixed(2)} s`);
    }
  }
  return runs;
}

export function median(values) {
  const known = values.filter((value) => value !== undefined).sort((a, b) => a - b);
  if (known.length === 0) return undefined;
  const middle = Math.floor(known.length / 2);
  return known.length % 2 === 1 ? known[middle] : (known[middle - 1] + known[middle]) / 2;
}

export const medianOf = (runs, figure) => median((runs ?? []).map((run) => run[figure]));

/** The median of the ratios, round by round, of a command to the sum of others. */
export function ratio(runs, name, others, figure = 'wall') {
  const counted = Math.min(...[name, ...others].map((each) => runs[each]?.length ?? 0));
  const ratios = Array.from({ length: counted }, (_, i) => {
    return runs[name][i][figure] / others.reduce((sum, other) => sum + runs[other][i][figure], 0);
  });
  return median(ratios);
}
