// Runs one mutant in this process and checks everything that must hold, whatever the input.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import { BnfixError, EXIT_CODES, writeModel } from '../../../dist/index.js';
import { COMMANDS, needsProcess, onlyCommandLine, runInLibrary, writesResult } from './command_table.mjs';
import { examplesAsArguments, examplesOf, hostileExamples } from './examples.mjs';
import { cliArguments } from './options.mjs';
import { Random } from './random.mjs';
import { peakMemory, resetPeak } from './resources.mjs';
import { formatOf, leftovers, otherModel, resultBytes, unreadable } from './results.mjs';
import { sizeOf } from './seeds.mjs';
import { signatureOf } from './signature.mjs';

const CLI = new URL('../../../dist/cli/', import.meta.url);
const { run, Terminal } = createRequire(import.meta.url)(new URL('cli.cjs', CLI).pathname);
/** 1 is that of check, for models that are affected, and of verify, for graphs that are not proved. */
const DOCUMENTED = new Set([0, 1, ...Object.values(EXIT_CODES).filter((code) => code !== EXIT_CODES.internal)]);

/** How mutants are run: most in the library, since that is fast. */
export function wayOf(mutant) {
  const way = mutant.way ?? (mutant.draw < 0.65 ? 'library' : mutant.draw < 0.99 ? 'command line' : 'process');
  return way === 'command line' && needsProcess(mutant.command) ? 'process' : way;
}

/**
 * @param work - a folder for the files of this run; it is emptied before
 * @returns `outcome` (ok or a code of BnfixError), `result` (the bytes written, if any), `faults`, `cpu` in seconds, `peak` in bytes
 */
export async function runMutant(given, work) {
  const [folder, out] = [join(work, 'model'), join(work, 'out')];
  rmSync(work, { recursive: true, force: true });
  writeFiles(given, folder);
  mkdirSync(out);
  const mutant = COMMANDS[given.command].needsExamples ? await withExamples(given, folder, work) : given;
  const prototypes = prototypeKeys();
  const [before, start] = [resetPeak(), process.cpuUsage()];
  const way = wayOf(mutant);
  const ran = await WAYS[way](mutant, folder, join(out, formatOf(mutant).target));
  const { user, system } = process.cpuUsage(start);
  const peak = peakMemory();
  const faults = [...ran.faults];
  if (ran.outcome === 'internal' && way !== 'library' && !onlyCommandLine(mutant.command)) {
    // The text of a command has no stack: the library says where it was.
    const again = await WAYS.library(mutant, folder, join(work, 'again'));
    if (again.faults.length > 0) faults.splice(0, 1, ...again.faults);
  }
  if (prototypeKeys() !== prototypes) faults.push('a prototype was changed');
  faults.push(...filesChanged(mutant, folder), ...leftovers(out, mutant, ran.wrote));
  const result = ran.wrote ? resultBytes(out, mutant) : undefined;
  if (result && !['tfjs'].includes(formatOf(mutant).name)) faults.push(...(await unreadable(result)));
  const grown = peak === undefined || way === 'process' ? undefined : peak - before;
  return { ...ran, way, result, faults, cpu: (user + system) / 1e6, grown, bytes: sizeOf(mutant.files) };
}

/** With random values of its inputs, for the library and as arguments. */
async function withExamples(mutant, folder, work) {
  const data = await examplesOf(join(folder, mutant.model), mutant.freeze, new Random(mutant.seedNumber ?? 0, 3));
  const files = join(work, 'data');
  mkdirSync(files);
  const random = new Random(mutant.seedNumber ?? 0, 4);
  if (random.chance(COMMANDS[mutant.command].hostile ?? 0))
    return { ...mutant, way: 'process', dataArguments: hostileExamples(data, files, random) };
  return { ...mutant, data, dataArguments: examplesAsArguments(data, files) };
}

export function writeFiles(mutant, folder) {
  mkdirSync(folder, { recursive: true });
  for (const [path, bytes] of mutant.files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
}

const WAYS = {
  async library(mutant, folder, target) {
    const options = { ...mutant.load };
    for (const key of ['checkpoint', 'reference'])
      if (options[key] !== undefined) options[key] = join(folder, options[key]);
    try {
      const path = join(folder, mutant.model);
      const format = formatOf(mutant);
      let faults = [];
      const write = async (made) => {
        await writeModel(target, made, { format: format.name });
        if (mutant.command === 'freeze') faults = await otherModel(target, made, format, mutant.freeze);
      };
      const given = mutant.data ? { ...mutant.freeze, data: mutant.data } : mutant.freeze;
      const ran = await runInLibrary(mutant.command, path, options, given, write);
      return { outcome: 'ok', ...ran, faults: [...ran.faults, ...faults] };
    } catch (error) {
      if (error instanceof BnfixError && error.code !== 'internal')
        return { outcome: error.code, wrote: false, faults: [] };
      return { outcome: 'internal', wrote: false, faults: [signatureOf(error)] };
    }
  },

  async 'command line'(mutant, folder, target) {
    const { args, isJson, wrote } = commandLine(mutant, folder, target);
    const [stdout, stderr] = [new Collector(), new Collector()];
    const code = await run(args, new Terminal({ stdout, stderr, env: { NO_COLOR: '1' } }));
    return outcomeOf({ code, stdout: stdout.text, stderr: stderr.text, isJson, wrote });
  },

  async process(mutant, folder, target) {
    const { args, isJson, wrote } = commandLine(mutant, folder, target);
    const timeout = Math.ceil(4000 * cpuLimit(sizeOf(mutant.files)));
    const argv = [
      '--max-old-space-size=1000',
      new URL('main.js', CLI).pathname,
      ...args.map((arg) => arg.replaceAll('\0', '')),
    ];
    const { error, status, signal, stdout, stderr } = spawnSync(process.execPath, argv, {
      timeout,
      maxBuffer: 2 ** 27,
      encoding: 'utf8',
    });
    // An argument that is longer than the system allows: the program never started.
    if (error?.code === 'E2BIG') return { outcome: 'usage', wrote: false, faults: [] };
    if (status === null) return { outcome: 'killed', wrote: false, faults: [`the process ended by ${signal}`] };
    return outcomeOf({ code: status, stdout, stderr, isJson, wrote });
  },
};

/** CPU seconds that a run over so many bytes may take. */
export function cpuLimit(bytes) {
  return 10 + bytes / 100_000;
}

/** Bytes of memory that it may need beside what Node.js and the program take. */
export function memoryLimit(bytes) {
  return 64 * 2 ** 20 + 4 * bytes;
}

function commandLine(mutant, folder, target) {
  const random = new Random(mutant.seedNumber ?? 0, 1);
  const args = [...cliArguments(mutant, folder, target, random), ...(mutant.dataArguments ?? [])];
  const isWriting = writesResult(mutant.command);
  if (isWriting && !COMMANDS[mutant.command].argv) args.push('-o', target, `--format=${formatOf(mutant).name}`);
  const isJson = !args.includes('--format') && random.chance(0.5);
  if (isJson) args.push('--json');
  return { args, isJson, wrote: isWriting && !args.includes('--dry-run') };
}

const CODE_NAMES = new Map([[0, 'ok'], [1, 'ok'], ...Object.entries(EXIT_CODES).map(([name, code]) => [code, name])]);

/** Exit code and output of a command. */
function outcomeOf({ code, stdout, stderr, isJson, wrote }) {
  const faults = [];
  if (code === EXIT_CODES.internal) faults.push(`exit 70: ${firstLines(stderr || stdout)}`);
  else if (!DOCUMENTED.has(code)) faults.push(`undocumented exit code ${code}`);
  faults.push(...rawCharacters('stdout', stdout), ...rawCharacters('stderr', stderr));
  if (isJson) faults.push(...badJson(stdout));
  return { outcome: CODE_NAMES.get(code) ?? `exit ${code}`, wrote: wrote && code === 0, faults, stdout, stderr };
}

function firstLines(text) {
  const error = /(internal error|"message"): .*/.exec(text)?.[0] ?? text;
  return error
    .split('\n')[0]
    .replace(/\/[^ ]*\//g, '')
    .replace(/\d+/g, 'N')
    .slice(0, 60);
}

function badJson(stdout) {
  try {
    JSON.parse(stdout);
    return [];
  } catch {
    return [stdout === '' ? '--json printed nothing' : 'the JSON cannot be parsed'];
  }
}

/** Control characters, and those that change the direction of text. A name with a line break must not begin a line. */
function rawCharacters(stream, text) {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is searched
  const found = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/.exec(text);
  if (found) return [`raw control character U+${found[0].charCodeAt(0).toString(16).padStart(4, '0')} on ${stream}`];
  return /^FORGED/m.test(text) ? [`a name forged a line on ${stream}`] : [];
}

function prototypeKeys() {
  return [Object, Array, Function, Map, String]
    .map((one) => Object.getOwnPropertyNames(one.prototype).join())
    .join(';');
}

function filesChanged(mutant, folder) {
  const now = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
    statSync(join(folder, path)).isFile(),
  );
  const isSame =
    now.length === mutant.files.size &&
    now.every((path) => mutant.files.get(path)?.equals(readFileSync(join(folder, path))));
  return isSame ? [] : ["the model's folder was changed"];
}

class Collector extends Writable {
  #parts = [];

  _write(chunk, _encoding, done) {
    this.#parts.push(Buffer.from(chunk));
    done();
  }

  get text() {
    return Buffer.concat(this.#parts).toString('utf8');
  }
}
