import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const PAGES = ['README.md', 'CONTRIBUTING.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)];

/** The commands in the documentation that run some of the tests. */
const COMMANDS = PAGES.filter((page) => page.endsWith('.md')).flatMap((page) => {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(/`(?:npx vitest run|npm run test:scale --) ([^`-][^`]*)`/g)].map(([command, args = '']) => {
    const [, paths = args, name] = /^(.*?) -t '(.*)'$/.exec(args) ?? [];
    const folder = command.includes('test:scale') ? 'test/scale/' : '';
    return { page, command, name, paths: paths.split(' ').map((path) => folder + path) };
  });
});

/** The files of tests that a path means: itself, those in a folder, or those whose names begin like it. */
function testsAt(path: string): string[] {
  const full = join(root, path);
  if (existsSync(full) && statSync(full).isFile()) return [full];
  const [folder, start] = existsSync(full) ? [full, ''] : [join(full, '..'), path.replace(/.*\//, '')];
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.startsWith(start) && name.endsWith('.test.ts')).map((name) => join(folder, name));
}

// Vitest passes where a pattern of names matches no test.
describe('a command of the documentation runs tests that exist', () => {
  it.each(COMMANDS)('$page: $command', ({ paths, name = '' }) => {
    const files = paths.map(testsAt);
    expect(files.filter((each) => each.length === 0)).toEqual([]);
    const titles = files.flat().filter((file) => readFileSync(file, 'utf8').includes(name));
    expect(titles).not.toEqual([]);
  });

  it('and there are many', () => {
    expect(COMMANDS.length).toBeGreaterThan(30);
  });
});
