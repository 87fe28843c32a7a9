import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('../src', import.meta.url));

/** The rooms of src/, and which others each may import. See ARCHITECTURE.md. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  did_you_mean: [],
  printable: [],
  entities: [],
  quoted: ['printable'],
  check_options: ['errors', 'did_you_mean'],
  proto: [],
  io: ['errors'],
  graph: ['errors', 'proto'],
  ops: ['graph', 'errors', 'proto'],
  notation: ['graph', 'ops', 'errors', 'printable'],
  readers: ['graph', 'io', 'errors', 'did_you_mean', 'quoted', 'proto'],
  locate: ['readers', 'graph', 'io', 'errors', 'did_you_mean', 'proto'],
  'analysis/values': ['ops', 'graph', 'errors', 'proto'],
  'analysis/runnable': ['analysis/values', 'ops', 'graph', 'errors', 'proto'],
  'analysis/state': ['analysis/values', 'ops', 'graph', 'errors', 'proto'],
  'analysis/training': ['analysis/runnable', 'analysis/state', 'analysis/values', 'ops', 'graph', 'errors', 'proto'],
  'analysis/folding': ['analysis/values', 'ops', 'graph', 'errors', 'proto'],
  passes: [
    'analysis/runnable',
    'analysis/training',
    'analysis/folding',
    'analysis/state',
    'analysis/values',
    'ops',
    'graph',
    'errors',
    'did_you_mean',
    'proto',
  ],
  freezing: [
    'passes',
    'notation',
    'analysis/runnable',
    'analysis/training',
    'analysis/folding',
    'analysis/state',
    'analysis/values',
    'writers',
    'ops',
    'graph',
    'errors',
    'did_you_mean',
    'check_options',
    'proto',
  ],
  diagnosis: [
    'freezing',
    'analysis/runnable',
    'analysis/training',
    'analysis/folding',
    'analysis/state',
    'analysis/values',
    'ops',
    'graph',
    'errors',
    'did_you_mean',
    'check_options',
    'proto',
  ],
  foreign: ['diagnosis', 'analysis/state', 'ops', 'readers', 'graph', 'io', 'errors', 'proto'],
  drawing: [
    'diagnosis',
    'freezing',
    'analysis/training',
    'analysis/state',
    'analysis/values',
    'ops',
    'graph',
    'errors',
    'printable',
    'entities',
  ],
  // Sentences from freezing; the graph as data. Its folder browser/ runs in the page.
  page: ['diagnosis', 'freezing', 'proof', 'run', 'analysis/training', 'graph', 'ops', 'printable', 'entities'],
  using: ['freezing', 'ops', 'graph', 'errors', 'check_options', 'quoted'],
  writers: ['graph', 'ops', 'io', 'check_options', 'errors', 'quoted', 'proto'],
  formats: [
    'freezing',
    'passes',
    'analysis/values',
    'writers',
    'run',
    'graph',
    'ops',
    'io',
    'check_options',
    'errors',
    'proto',
  ],
  // Runs a graph to show that it is right: nothing of the main way needs it.
  run: ['graph', 'ops', 'readers', 'errors', 'did_you_mean', 'proto'],
  // Runs a repaired graph beside the saved one.
  proof: [
    'run',
    'freezing',
    'passes',
    'analysis/training',
    'analysis/state',
    'analysis/values',
    'ops',
    'graph',
    'errors',
    'check_options',
    'proto',
  ],
  // Runs a graph on examples, to compute statistics of their activations.
  calibration: [
    'proof',
    'run',
    'freezing',
    'passes',
    'analysis/training',
    'analysis/state',
    'analysis/values',
    'ops',
    'graph',
    'errors',
    'did_you_mean',
    'check_options',
  ],
  // index.ts, core.ts, load.ts and load_sources.ts, which put the rooms together.
  library: [
    'locate',
    'readers',
    'foreign',
    'diagnosis',
    'freezing',
    'passes',
    'analysis/runnable',
    'analysis/training',
    'analysis/folding',
    'analysis/state',
    'analysis/values',
    'formats',
    'writers',
    'proof',
    'calibration',
    'run',
    'ops',
    'graph',
    'io',
    'check_options',
    'errors',
    'proto',
  ],
  cli: [
    'library',
    'diagnosis',
    'drawing',
    'page',
    'freezing',
    'proof',
    'calibration',
    'passes',
    'formats',
    'writers',
    'run',
    'notation',
    'graph',
    'errors',
    'did_you_mean',
    'using',
    'printable',
    'entities',
    'quoted',
  ],
};
const SINGLE_FILES = ['errors', 'did_you_mean', 'entities', 'printable', 'quoted', 'check_options'];

/** Node's modules that reach outside, and the rooms that may use them; the others are handed bytes. */
const OUTSIDE = /^node:(fs|net|http|https|child_process|worker_threads|os|readline)/;
const REACH_OUTSIDE = ['io', 'locate', 'writers', 'cli'];

const IMPORT = /\bfrom '([^']+)'|\b(?:import|require)\('([^']+)'\)|^import '([^']+)'/gm;
const COMMENT = /\/\*[\s\S]*?\*\/|(?<!:)\/\/.*$/gm;
const STRING = /'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g;

function roomOf(path: string): string {
  const [first = '', ...rest] = path.split(sep);
  if (first === 'analysis') return `analysis/${rest[0]}`;
  const name = first.replace(/(\.d)?\.ts$/, '');
  return rest.length > 0 || SINGLE_FILES.includes(name) ? name : 'library';
}

const FILES = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && roomOf(path) !== 'proto')
  .map((path) => {
    const code = readFileSync(resolve(SRC, path), 'utf8').replace(COMMENT, '');
    const imports = [...code.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? match[3]!);
    return { path, room: roomOf(path), imports, code: code.replace(STRING, "''"), text: code };
  });

/** Files of src/ that a file imports. */
function inside(path: string, imports: readonly string[]): string[] {
  return imports
    .filter((name) => name.startsWith('.'))
    .map((name) => relative(SRC, resolve(SRC, dirname(path), name.replace(/\.js$/, '.ts'))))
    .filter((target) => !target.startsWith('..'));
}

describe('readers -> graph -> analysis -> passes -> writers', () => {
  it('every folder is a room that is known', () => {
    expect([...new Set(FILES.map(({ room }) => room))].filter((room) => !(room in ROOMS))).toEqual([]);
  });

  it('a room imports only what it may', () => {
    const wrong = FILES.flatMap(({ path, room, imports }) =>
      inside(path, imports)
        .filter((target) => roomOf(target) !== room && !ROOMS[room]?.includes(roomOf(target)))
        .map((target) => `${path} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('only what reads, writes or talks reaches outside', () => {
    const wrong = FILES.filter(({ room }) => !REACH_OUTSIDE.includes(room)).flatMap(({ path, imports }) =>
      imports.filter((name) => OUTSIDE.test(name)).map((name) => `${path} imports ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  it('a pass has no asynchronous code', () => {
    const passes = FILES.filter(({ room }) => room === 'passes' || room.startsWith('analysis/'));
    expect(passes.filter(({ code }) => /\b(async|await|Promise)\b/.test(code)).map(({ path }) => path)).toEqual([]);
  });
});

describe('the command line', () => {
  it('alone prints, reads flags and ends the process', () => {
    const talks = FILES.filter(({ room }) => room !== 'cli').filter(({ code }) =>
      /\b(console|process)\b\s*\./.test(code),
    );
    expect(talks.map(({ path }) => path)).toEqual([]);
  });

  it('alone has flags: errors of the library name options', () => {
    // Those in using/ are flags of other programs.
    const named = FILES.filter(({ room }) => room !== 'cli' && room !== 'using').flatMap(({ path, text }) =>
      [...text.matchAll(/(?<![\w-])(--[a-z]{2}[a-z-]*|-o\b)/g)].map(([flag]) => `${path} names ${flag}`),
    );
    expect(named).toEqual([]);
  });

  it('sets an exit code, and never ends before its output has gone', () => {
    expect(FILES.filter(({ code }) => /\bprocess\.exit\(/.test(code)).map(({ path }) => path)).toEqual([]);
  });
});

describe('ARCHITECTURE.md', () => {
  const text = readFileSync(resolve(SRC, '../ARCHITECTURE.md'), 'utf8');

  it('has a row for every room', () => {
    const rooms = Object.keys(ROOMS).filter((room) => room !== 'library' && !SINGLE_FILES.includes(room));
    expect(rooms.filter((room) => !text.includes(`\n| \`${room}/\` |`))).toEqual([]);
  });

  it('names no file that does not exist', () => {
    const paths = [...text.matchAll(/`((?:src|test|scripts|proto|examples|\.ci)\/[\w./]*)`/g)].map(
      (match) => match[1]!,
    );
    expect(paths.length).toBeGreaterThan(20);
    expect(paths.filter((path) => !existsSync(resolve(SRC, '..', path)))).toEqual([]);
  });
});
