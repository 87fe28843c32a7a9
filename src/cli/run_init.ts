import { dirname, join, relative, resolve } from 'node:path';
import { BnfixError } from '../errors.js';
import { analyse } from '../freezing/analyse.js';
import type { Analysis } from '../freezing/analysis.js';
import { refuse } from '../freezing/refuse.js';
import { plural } from '../freezing/text.js';
import { refText } from '../graph/node.js';
import { loadLeniently } from '../load_leniently.js';
import { printable } from '../printable.js';
import { shellQuoted } from '../quoted.js';
import { encodedText } from '../writers/encoded.js';
import { writeFile } from '../writers/file.js';
import type { Args } from './args.js';
import { CONFIG_NAME } from './batch/config.js';
import { SCHEMA_ID } from './batch/config_schema.js';
import { collectModels, type Target } from './checking/collect_models.js';
import { proposedName } from './freeze_request.js';
import type { Terminal } from './terminal.js';
import { version } from './version.js';

/** A model of the config that is written. */
interface Entry {
  readonly model: string;
  readonly output: string;
  readonly outputs?: readonly string[];
}

/** Runs `bnfix init` with parsed arguments. @returns the exit code */
export async function runInit(args: Args, terminal: Terminal): Promise<number> {
  const paths = args.positionals('PATH');
  if (paths.length === 0) throw noPath();
  const path = args.string('output') ?? CONFIG_NAME;
  const folder = dirname(resolve(path));
  const entries: Entry[] = [];
  const notes: string[] = [];
  for (const target of collectModels(paths).targets) {
    const { entry, note } = await described(target, folder);
    if (entry) entries.push({ ...entry, output: freeName(entry.output, entries) });
    if (note !== undefined) notes.push(note);
  }
  if (entries.length === 0) throw nothingFound(paths, notes);
  const text = `${JSON.stringify({ $schema: SCHEMA_ID, models: entries }, null, 2)}\n`;
  const force = args.flag('force');
  await writeFile(path, encodedText(text), { force });
  if (args.flag('json'))
    await terminal.printJson({ bnfix: version(), command: 'init', written: path, models: entries, notes });
  else if (!args.flag('quiet')) {
    const next = path === CONFIG_NAME ? '' : ` ${shellQuoted(path)}`;
    const lines = notes.map((note) => `  ${printable(note)}`);
    const head = `Wrote ${printable(path)} (${plural(entries.length, 'model')})`;
    await terminal.print([head, ...lines, `Next  bnfix freeze --config${next}`]);
  }
  return 0;
}

/** A name that no other model has for its result. */
function freeName(output: string, others: readonly Entry[]): string {
  const taken = new Set(others.map((other) => other.output));
  let name = output;
  for (let i = 2; taken.has(name); i++) name = output.replace(/(\.pb)$/, `-${i}$1`);
  return name;
}

interface Described {
  /** Undefined for what cannot be frozen, or need not be. */
  readonly entry: Entry | undefined;
  /** What the user should know. */
  readonly note: string | undefined;
}

/** The entry of a model: with its outputs, if they are clear. */
async function described(target: Target, folder: string): Promise<Described> {
  if (target.code === 'failed') return leftOut(target.path, target.error.message);
  const { path, file, kind } = target.model;
  if (FOREIGN.has(kind)) return leftOut(path, 'not a TensorFlow graph');
  try {
    const { model } = await loadLeniently(path, file);
    try {
      return entryOf(path, analyse(model), folder);
    } finally {
      model.close();
    }
  } catch (error) {
    if (!(error instanceof BnfixError) || error.code === 'internal') throw error;
    return leftOut(path, error.message);
  }
}

const FOREIGN: ReadonlySet<string> = new Set(['onnx', 'tfjs']);

function leftOut(path: string, why: string): Described {
  return { entry: undefined, note: `${path} is left out: ${why}` };
}

function entryOf(path: string, analysis: Analysis, folder: string): Described {
  const { outputs, problems, variables, dropouts, plan } = analysis;
  const isFinished = problems.length === 0 && variables.byNode.size === 0 && dropouts.length === 0;
  if (isFinished && plan.fused.length === 0 && plan.replacements.length === 0) {
    return leftOut(path, 'it is frozen, and nothing has to be repaired');
  }
  const model = relative(folder, resolve(path)) || '.';
  const entry = {
    model,
    output: join(dirname(model), proposedName(model)),
    ...(outputs.refs.length > 0 && { outputs: outputs.refs.map(refText) }),
  };
  return { entry, note: problems.length === 0 ? undefined : `${path}: ${refusalOf(analysis)}` };
}

/** What `freeze` will say, and the command that says it. */
function refusalOf(analysis: Analysis): string {
  try {
    refuse(analysis);
  } catch (error) {
    if (error instanceof BnfixError) return error.message;
    throw error;
  }
  return '';
}

function noPath(): BnfixError {
  return new BnfixError('usage', 'no model given', {
    why: 'init takes models, folders that are searched for models, and globs',
    fix: 'bnfix init .',
  });
}

function nothingFound(paths: readonly string[], notes: readonly string[]): BnfixError {
  return new BnfixError('unreadable', `no model to freeze in ${paths.join(', ')}`, {
    why: notes,
    fix: 'name a model, or a folder with models',
  });
}
