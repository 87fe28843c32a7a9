import { createHash } from 'node:crypto';
import { appendFileSync, cpSync, readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BAG_MODEL, cli, fixture, temporaryFolder } from './support.js';

const at = temporaryFolder();
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Each path of a report with the hash of that file. */
async function reportOf(...args: string[]) {
  const { code, stdout, stderr } = await cli([...args, '--json']);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout);
}

const hashed = (paths: readonly string[]) =>
  paths.map((path) => {
    const bytes = readFileSync(path);
    return { path, bytes: bytes.length, sha256: sha256(bytes) };
  });

describe('the hashes of a report', () => {
  const prefix = BAG_MODEL.replace('.meta', '');
  const [graph, index, data] = [BAG_MODEL, `${prefix}.index`, `${prefix}.data-00000-of-00001`] as const;

  it('are those of every file that was read, and of the one that was written', async () => {
    const { read, written } = await reportOf('freeze', BAG_MODEL, '-o', at('out.pb'));
    expect(read).toEqual(hashed([graph, index, data]));
    expect(written).toMatchObject({ ...hashed([at('out.pb')])[0], verified: false });
  });

  it('include the state file that led to the checkpoint', async () => {
    const { read } = await reportOf('freeze', dirname(BAG_MODEL), '-o', at('out.pbtxt'), '--verify-written');
    const state = `${dirname(BAG_MODEL)}/checkpoint`;
    expect(read).toEqual(hashed([graph, state, index, data]));
  });

  it('include all shards of a V1 checkpoint', async () => {
    const model = fixture('checkpoint_v1_sharded/model.ckpt.meta');
    const { read } = await reportOf('freeze', model, '--dry-run');
    const names = readdirSync(dirname(model)).filter((name) => /^model.*-\d{5}-of-\d{5}$/.test(name));
    expect(names.length).toBeGreaterThan(1);
    expect(read.map(({ path }: { path: string }) => path).sort()).toEqual(
      [model, ...names.map((name) => `${dirname(model)}/${name}`)].sort(),
    );
  });

  it('are there in a dry run, and for stdout', async () => {
    const dry = await reportOf('freeze', BAG_MODEL, '--dry-run');
    expect(dry.read).toEqual(hashed([graph, index, data]));
    expect(dry.written).toBe(null);
    const { bytes, stderr } = await cli(['freeze', BAG_MODEL, '-o', '-', '--json']);
    expect(JSON.parse(stderr).written).toMatchObject({ path: '-', bytes: bytes.length, sha256: sha256(bytes) });
  });

  it('are those of text, too; -v shows them', async () => {
    const { stdout } = await cli(['fold', BAG_MODEL, '-o', at('out.pbtxt'), '-v']);
    for (const { sha256, path } of hashed([graph, index, data, at('out.pbtxt')])) {
      expect(stdout).toContain(`${sha256}  ${path}\n`);
    }
  });

  it('are those of large files, too, which another thread reads', async () => {
    cpSync(dirname(BAG_MODEL), at('model'), { recursive: true });
    const copy = at('model/bag-model-34000');
    const large = `${copy}.data-00000-of-00001`;
    appendFileSync(large, Buffer.alloc(20 * 1024 * 1024));
    const { read } = await reportOf('freeze', `${copy}.meta`, '-o', at('out.pb'));
    expect(read).toEqual(hashed([`${copy}.meta`, `${copy}.index`, large]));
  });
});

describe('--verify-written', () => {
  it('says in the report that it compared', async () => {
    const { written } = await reportOf('freeze', BAG_MODEL, '-o', at('out.pb'), '--verify-written');
    expect(written.verified).toBe(true);
    const { stdout } = await cli(['freeze', BAG_MODEL, '-o', at('out2.pb'), '--verify-written']);
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(
      /Wrote [^ ]*.*out2\.pb \(.* kB\) in .* s, read it again and compared /,
    );
  });

  it('needs a file', async () => {
    const { code, stderr } = await cli(['freeze', BAG_MODEL, '-o', '-', '--verify-written']);
    expect(code).toBe(2);
    expect(stderr).toContain('bnfix: stdout cannot be read again\n');
  });
});
