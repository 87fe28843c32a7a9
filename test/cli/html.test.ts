import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { writeNpy } from '../../src/cli/data/npy.js';
import { tensorflow } from '../../src/proto/tensorflow.js';
import { counted } from '../support/run.js';
import { BAG_MODEL, cli, fixture, temporaryFolder } from './support.js';

const out = temporaryFolder();
const UNTRAINED = fixture('untrained_113/model.meta');

it.each(['freeze', 'fold'])('%s writes a page beside the result', async (command) => {
  const { code, stdout } = await cli([command, BAG_MODEL, '-o', out('out.pb'), '--html', out('page.html')]);
  expect(code).toBe(0);
  expect(stdout.replaceAll('\n', ' ')).toMatch(
    / Wrote .*out\.pb \(\d+\.\d kB\) in \d+\.\d s, and .*page\.html \(\d+\.\d kB\)/,
  );
  expect(readFileSync(out('page.html'), 'utf8')).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/);
  expect(readdirSync(out())).toEqual(['out.pb', 'page.html']);
});

it('writes the same bytes each time, less than 300 kB', async () => {
  for (const _ of [1, 2]) {
    const args = ['freeze', BAG_MODEL, '-o', out('out.pb'), '--html', out('page.html'), '--force', '-q'];
    expect(await cli(args)).toMatchObject({ code: 0, stdout: '', stderr: '' });
    const page = readFileSync(out('page.html'));
    expect(page.length).toBeLessThan(300_000);
    if (existsSync(out('first'))) expect(page.equals(readFileSync(out('first')))).toBe(true);
    else writeFileSync(out('first'), page);
  }
});

it('writes only the page in a dry run', async () => {
  const { code, stdout } = await cli(['freeze', BAG_MODEL, '--dry-run', '--html', out('page.html')]);
  expect(code).toBe(0);
  expect(stdout.replaceAll('\n', ' ')).toMatch(/every weight; only .*page\.html \(\d+\.\d kB\) was written/);
  expect(readdirSync(out())).toEqual(['page.html']);
});

it.each([['--html'], ['--json', '-v']])(
  '%s: a node that only it reads is corrupt: nothing is written',
  async (...args) => {
    const float = { type: 1 };
    const node = [
      { name: 'x', op: 'Placeholder', attr: { dtype: float } },
      { name: 'y', op: 'Relu', input: ['x'], attr: { T: float } },
      { name: 'unused', op: 'Relu', input: ['x'], attr: { T: { type: 50 } } },
    ];
    writeFileSync(out('model.pb'), tensorflow.GraphDef.encode({ node }).finish());
    const page = args[0] === '--html' ? [out('page.html')] : [];
    const { code } = await cli(['freeze', out('model.pb'), '--outputs', 'y', '-o', out('out.pb'), ...args, ...page]);
    expect([code, existsSync(out('out.pb'))]).toEqual(page.length > 0 ? [3, false] : [0, true]);
  },
);

it('has the hashes of what was read and written', async () => {
  const { stdout } = await cli(['freeze', BAG_MODEL, '-o', out('out.pb'), '--html', out('page.html'), '--json']);
  const { read, written } = JSON.parse(stdout) as { read: { sha256: string }[]; written: { sha256: string } };
  const page = readFileSync(out('page.html'), 'utf8');
  for (const { sha256 } of [...read, written]) expect(page).toContain(`<code>${sha256}</code>`);
});

it('inspect writes a page of what it finds', async () => {
  const { code, stdout } = await cli(['inspect', UNTRAINED, '--html', out('page.html')]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/\nWrote .*page\.html \(\d+\.\d kB\)\n$/);
  const page = readFileSync(out('page.html'), 'utf8');
  expect(page).toContain('has invalid statistics: ');
  expect(page).toContain('<span class="chip bad">training</span>');
  expect(page).not.toContain('<th scope="col" class="">Result</th>');
  expect((await cli(['inspect', UNTRAINED, '--html', out('page.html')])).code).toBe(6);
});

it('shows a refusal, and exits like it', async () => {
  const { code, stderr } = await cli(['freeze', UNTRAINED, '-o', out('out.pb'), '--html', out('page.html')]);
  expect(code).toBe(4);
  expect(stderr).toMatch(/page\.html shows what was found\n/);
  const page = readFileSync(out('page.html'), 'utf8');
  expect(page).toContain('Freezing was refused: ');
  expect(page).toContain('<code>--allow-untrained</code>');
  expect(readdirSync(out())).toEqual(['page.html']);
});

describe('verify', () => {
  it('writes a page with the proofs and the pictures, the same bytes each time', async () => {
    const args = ['verify', BAG_MODEL, '--fold', '--html', out('page.html'), '--force'];
    const { code, stdout } = await cli(args);
    expect(code).toBe(0);
    expect(stdout.replaceAll('\n', ' ')).toMatch(/ Wrote .*page\.html \(\d+\.\d kB\) $/);
    const page = readFileSync(out('page.html'), 'utf8');
    expect(page).toContain('Verified: 4 of 4 proofs passed');
    expect(page.match(/<img src="data:image\/png;base64,[\w+/=]+"/g)).toHaveLength(12);
    await cli([...args, '-q']);
    expect(readFileSync(out('page.html'), 'utf8')).toBe(page.replace(' --force<', ' --force -q<'));
  });

  it('does not replace its data, or the file that it verifies', async () => {
    await cli(['freeze', BAG_MODEL, '-o', out('frozen.pb'), '-q']);
    writeFileSync(out('x.npy'), writeNpy(counted([2, 8, 8, 3])));
    for (const file of ['frozen.pb', 'x.npy']) {
      const before = readFileSync(out(file));
      const args = ['--input', out('x.npy'), '--html', out(file), '--force'];
      const { code, stderr } = await cli(['verify', BAG_MODEL, out('frozen.pb'), ...args]);
      expect(code).toBe(6);
      expect(stderr).toContain('is one of the input files');
      expect(readFileSync(out(file)).equals(before)).toBe(true);
    }
  });

  it('shows a refusal', async () => {
    const { code } = await cli(['verify', UNTRAINED, '--html', out('page.html')]);
    expect(code).toBe(4);
    expect(readFileSync(out('page.html'), 'utf8')).toContain('Verification was refused: ');
  });
});

it('writes no page about options that name nothing', async () => {
  const { code } = await cli(['freeze', BAG_MODEL, '--dry-run', '--keep', 'nothing', '--html', out('page.html')]);
  expect(code).toBe(2);
  expect(readdirSync(out())).toEqual([]);
});

it.each<[string, () => string[], number, string]>([
  ['stdout', () => ['--html', '-'], 2, 'a page cannot be written to stdout'],
  ['the result', () => ['--html', out('./out.pb')], 2, 'the page and the result have the same name'],
  ['an existing file', () => ['--html', out('old.html')], 6, 'old.html already exists'],
  ['a missing folder', () => ['--html', out('missing/page.html')], 6, 'mkdir -p'],
  ['an input', () => ['--html', BAG_MODEL, '--force'], 6, 'is one of the input files'],
])('refuses %s before anything is written', async (_, args, exit, text) => {
  writeFileSync(out('old.html'), 'old');
  const { code, stderr } = await cli(['freeze', BAG_MODEL, '-o', out('out.pb'), ...args()]);
  expect(code).toBe(exit);
  expect(stderr).toContain(text);
  expect(readdirSync(out())).toEqual(['old.html']);
  expect(readFileSync(out('old.html'), 'utf8')).toBe('old');
});

it('does not replace the result through a link', async () => {
  symlinkSync(out('out.pb'), out('link.html'));
  const { code } = await cli(['freeze', BAG_MODEL, '-o', out('out.pb'), '--html', out('link.html'), '--force', '-q']);
  expect(code).toBe(6);
  expect(statSync(out('out.pb')).size).toBeLessThan(40_000);
});
