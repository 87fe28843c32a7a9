import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeFile } from '../../src/writers/file.js';
import { openTemporary, removeLeftovers } from '../../src/writers/temporary.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bnfix temporary '));
});
afterEach(() => rmSync(folder, { recursive: true }));

const at = (name: string) => join(folder, name);

/** A temporary file of a run, with changed parts of its name: key, machine, process, start. */
async function leftover(target: string, change: (parts: string[]) => void): Promise<string> {
  const { path, file } = await openTemporary(at(target), 0o600);
  await file.close();
  const parts = basename(path).split('-');
  change(parts);
  const name = parts.join('-');
  renameSync(path, at(name));
  return name;
}

/** The number of a process that has ended. */
function endedProcess(): string {
  return `${spawnSync(process.execPath, ['-e', '']).pid}`;
}

const [MACHINE, PROCESS, START] = [2, 3, 4];

describe('temporary files that killed runs left behind', () => {
  it('are removed by the next run on that target', async () => {
    const ended = endedProcess();
    await leftover('out.pb', (parts) => {
      parts[PROCESS] = ended;
    });
    await writeFile(at('out.pb'), { chunks: () => [Buffer.from('new')] });
    expect(readdirSync(folder)).toEqual(['out.pb']);
  });

  it('of other targets are not touched', async () => {
    const ended = endedProcess();
    const name = await leftover('other.pb', (parts) => {
      parts[PROCESS] = ended;
    });
    await removeLeftovers(at('out.pb'));
    expect(readdirSync(folder)).toEqual([name]);
  });

  it('are not those of a process that still runs', async () => {
    const name = await leftover('out.pb', () => {});
    await removeLeftovers(at('out.pb'));
    expect(readdirSync(folder)).toEqual([name]);
  });

  it.runIf(process.platform === 'linux')(
    'are recognised although another process has their number by now',
    async () => {
      await leftover('out.pb', (parts) => {
        parts[START] = `${Number(parts[START]) - 1}`;
      });
      await removeLeftovers(at('out.pb'));
      expect(readdirSync(folder)).toEqual([]);
    },
  );

  it('of another machine are removed when nothing has changed them for a day', async () => {
    const ended = endedProcess();
    const name = await leftover('out.pb', (parts) => {
      parts[MACHINE] = '00000000';
      parts[PROCESS] = ended;
    });
    await removeLeftovers(at('out.pb'));
    expect(readdirSync(folder)).toEqual([name]);
    const yesterday = new Date(Date.now() - 25 * 60 * 60 * 1000);
    utimesSync(at(name), yesterday, yesterday);
    await removeLeftovers(at('out.pb'));
    expect(readdirSync(folder)).toEqual([]);
  });

  it('are recognised by their whole name', async () => {
    for (const name of ['.bnfix-abc.tmp', '.bnfix-x-y-1-2-3.tmp', 'out.pb.tmp']) writeFileSync(at(name), '');
    await removeLeftovers(at('out.pb'));
    expect(readdirSync(folder).length).toBe(3);
  });
});
