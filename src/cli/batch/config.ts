import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { didYouMean } from '../../did_you_mean.js';
import { BnfixError } from '../../errors.js';
import { destinationOf, mainFile } from '../../formats/destination.js';
import type { OptionTable } from '../option.js';
import { argvOf, isRecord, wrongType } from './entry_argv.js';
import { entryKeys } from './entry_keys.js';

/** The config that is read if none is named. */
export const CONFIG_NAME = 'bnfix.config.json';

/** The commands that a config can run. */
export type BatchCommand = 'freeze' | 'fold';

/** A model of a config. */
export interface ConfigEntry {
  readonly command: BatchCommand;
  readonly model: string;
  /** Where the result is written. */
  readonly output: string;
  /** The main file of the result, or its folder. */
  readonly target: string;
  readonly checkpoint: string | undefined;
  /** The options of the model as arguments, without the output. */
  readonly argv: readonly string[];
}

/** A config, checked. Paths in it are relative to its folder. */
export interface Config {
  readonly path: string;
  readonly folder: string;
  readonly entries: readonly ConfigEntry[];
}

/** Keys of a config beside its models. */
const TOP_KEYS = ['$schema', 'defaults', 'models'];

/**
 * Reads a config.
 * @param command - what is run for a model that has no `fold`
 * @param options - of the commands
 * @throws BnfixError `unreadable` when the file cannot be read, `usage` when it is no valid config
 */
export function readConfig(
  path: string,
  command: BatchCommand,
  options: Readonly<Record<BatchCommand, OptionTable>>,
): Config {
  const config = parsed(path);
  if (!isRecord(config)) throw wrongType(path, 'an object: { "models": [...] }', config);
  refuseUnknown(Object.keys(config), TOP_KEYS, path);
  const { models, defaults = {} } = config;
  if (!Array.isArray(models) || models.length === 0)
    throw wrongType('models', 'a list with at least one model', models);
  if (!isRecord(defaults)) throw wrongType('defaults', 'an object with options', defaults);
  if ('model' in defaults || 'output' in defaults) {
    throw new BnfixError('usage', 'defaults cannot have a model or an output', {
      where: path,
      fix: 'move it into "models"',
    });
  }
  const entries = models.map((model, i) => entryOf(model, `models[${i}]`, { command, defaults, options }));
  refuseClashes(entries, dirname(path));
  return { path, folder: dirname(resolve(path)), entries };
}

function parsed(path: string): unknown {
  try {
    // Editors of some systems begin a file with a byte order mark.
    return JSON.parse(readFileSync(path, 'utf8').replace(/^\uFEFF/, ''));
  } catch (cause) {
    const why = (cause as Error).message;
    if (cause instanceof SyntaxError) {
      throw new BnfixError('usage', `${path} is not valid JSON`, { where: path, why, fix: 'correct it', cause });
    }
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new BnfixError('unreadable', isMissing ? `${path} not found` : `cannot read ${path}`, {
      where: path,
      why: isMissing ? undefined : why,
      fix: isMissing ? 'bnfix init MODEL   (writes one from a model, or from a folder of models)' : 'check the path',
      cause,
    });
  }
}

interface Context {
  readonly command: BatchCommand;
  readonly defaults: Readonly<Record<string, unknown>>;
  readonly options: Readonly<Record<BatchCommand, OptionTable>>;
}

function entryOf(value: unknown, where: string, { command, defaults, options }: Context): ConfigEntry {
  if (!isRecord(value)) throw wrongType(where, 'an object: { "model": "a.meta", "output": "a.pb" }', value);
  const { model, output, fold = command === 'fold', ...others } = { ...defaults, ...value };
  if (typeof model !== 'string' || model === '') throw wrongType(`${where}.model`, 'a path', model);
  if (typeof output !== 'string' || output === '' || output === '-')
    throw wrongType(`${where}.output`, 'a path', output);
  if (typeof fold !== 'boolean') throw wrongType(`${where}.fold`, 'true or false', fold);
  const used = fold ? 'fold' : 'freeze';
  const keys = entryKeys(options[used]);
  refuseUnknown(Object.keys(others), [...keys.keys(), 'model', 'fold'], where);
  const argv = Object.entries(others).flatMap(([key, one]) => argvOf(keys.get(key)!, one, `${where}.${key}`));
  const { checkpoint, format } = others;
  return {
    command: used,
    model,
    output,
    target: targetOf(output, format),
    checkpoint: checkpoint === undefined ? undefined : String(checkpoint),
    argv,
  };
}

/** The path of the result, whatever way it is named. What is wrong with a name or a format is reported when the model is run. */
function targetOf(output: string, format: unknown): string {
  try {
    return mainFile(destinationOf(output, format === undefined ? undefined : String(format)));
  } catch {
    return output;
  }
}

function refuseUnknown(keys: readonly string[], known: readonly string[], where: string): void {
  const unknown = keys.find((key) => !known.includes(key));
  if (unknown === undefined) return;
  throw new BnfixError('usage', `${where} has the unknown key ${unknown}`, {
    where,
    fix: didYouMean(unknown, known) ?? `known keys: ${[...known].sort().join(', ')}`,
  });
}

/** Models are worked on at the same time and in any order: none may write what another one reads or writes. */
function refuseClashes(entries: readonly ConfigEntry[], folder: string): void {
  const writers = new Map<string, number>();
  for (const [i, { output, target }] of entries.entries()) {
    const path = resolve(folder, target);
    const other = writers.get(path);
    if (other !== undefined) {
      throw new BnfixError('usage', `models[${other}] and models[${i}] have the same output`, {
        where: output,
        fix: 'give each model an output of its own',
      });
    }
    writers.set(path, i);
  }
  for (const [i, { model, checkpoint }] of entries.entries()) {
    for (const path of checkpoint === undefined ? [model] : [model, checkpoint]) {
      const writer = writers.get(resolve(folder, path));
      if (writer === undefined) continue;
      throw new BnfixError('usage', `models[${i}] reads what models[${writer}] writes`, {
        where: path,
        fix: 'use two configs, one after the other',
      });
    }
  }
}
