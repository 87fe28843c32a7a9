import { dirname } from 'node:path';
import pc from 'picocolors';
import { tfjsModelAt } from '../checkable.js';
import { nearNames } from '../did_you_mean.js';
import { BnfixError } from '../errors.js';
import { load } from '../load.js';
import type { LoadedModel } from '../load_sources.js';
import { printableData } from '../printable.js';
import { shellQuoted } from '../quoted.js';
import type { FrozenFile } from '../using/frozen_file.js';
import { type SignedModel, signedUsageOf } from '../using/signed_model.js';
import { isTarget, TARGETS, type Target } from '../using/step.js';
import { stepsFor } from '../using/steps.js';
import { isNotFrozen, type Usage, type UsageOptions, usageOf } from '../using/usage.js';
import { graphFormat } from '../writers/graph_file.js';
import type { Args } from './args.js';
import { proposedName } from './freeze_request.js';
import { affectedText, nextText } from './next_text.js';
import type { Terminal } from './terminal.js';
import { version } from './version.js';

/** Runs `bnfix next` with parsed arguments. @returns the exit code */
export async function runNext(args: Args, terminal: Terminal): Promise<number> {
  const path = args.positional('FILE');
  if (path === undefined) throw noFile();
  const targets = targetsOf(args.list('for'));
  const { file, usage, used } = await usageOfFile(path, args.list('outputs'));
  const steps = stepsFor(used, used.format === 'tfjs' ? onlyTfjs(targets) : targets);
  if (args.flag('json')) {
    await terminal.printJson({ bnfix: version(), command: 'next', file, ...usage, steps });
    return 0;
  }
  if (usage.affected.length > 0) terminal.err(`bnfix: warning: ${affectedText(usage, freezeCommand(file))}`);
  const { bold } = pc.createColors(terminal.hasColor(terminal.stdout));
  await terminal.print(nextText(printableData({ file, ...usage }), steps, bold));
  return 0;
}

/** A file, and how it is used. */
interface UsedFile {
  readonly file: string;
  readonly usage: Usage;
  readonly used: FrozenFile | SignedModel;
}

async function usageOfFile(path: string, outputs: readonly string[]): Promise<UsedFile> {
  const options = outputs.length > 0 ? { outputs } : {};
  const converted = tfjsModelAt(path);
  if (converted !== undefined) return usageOfConverted(converted, options);
  const model = await load(path);
  try {
    if (model.kind !== 'graph_def' && outputs.length === 0) return usageOfSigned(model);
    const { name: file } = model;
    const usage = usageOf(model, options);
    return { file, usage, used: { ...usage, path: file, format: graphFormat(file) } };
  } catch (error) {
    if (!isNotFrozen(error)) throw error;
    const { code, message, where, whyLines } = error;
    throw new BnfixError(code, message, { where, why: whyLines, fix: freezeCommand(path) });
  } finally {
    model.close();
  }
}

/** A SavedModel, or a .meta with its checkpoint. */
function usageOfSigned(model: LoadedModel): UsedFile {
  const usage = signedUsageOf(model);
  const isFolder = model.kind === 'saved_model';
  const file = isFolder ? dirname(model.name) : model.name;
  const format = isFolder ? 'saved_model' : 'meta';
  return { file, usage, used: { ...usage, path: file, format } };
}

/** A model of TensorFlow.js: its outputs are those of its signature. */
async function usageOfConverted(file: string, options: UsageOptions): Promise<UsedFile> {
  const { loadTfjsFile } = await import('../check_foreign.js');
  const model = await loadTfjsFile(file);
  try {
    const signed = Object.values(model.metaGraphDef.signature_def?.serving_default?.outputs ?? {});
    const outputs = signed.flatMap(({ name }) => name ?? []);
    const usage = usageOf(model, { ...(outputs.length > 0 && { outputs }), ...options });
    return { file, usage, used: { ...usage, path: file, format: 'tfjs' } };
  } finally {
    model.close();
  }
}

/** @throws BnfixError `usage` for a program that cannot use a model of TensorFlow.js */
function onlyTfjs(targets: readonly Target[] = ['tfjs']): readonly Target[] {
  const other = targets.find((target) => target !== 'tfjs');
  if (other === undefined) return targets;
  throw new BnfixError('usage', `${other} does not run models of TensorFlow.js`, {
    where: '--for',
    fix: ['--for tfjs', 'or name a frozen graph: one that freeze wrote without --format tfjs'],
  });
}

function freezeCommand(path: string): string {
  return `bnfix freeze ${shellQuoted(path)} -o ${shellQuoted(proposedName(path))}`;
}

function targetsOf(names: readonly string[]): readonly Target[] | undefined {
  const unknown = names.find((name) => !isTarget(name));
  if (unknown !== undefined) {
    const started = TARGETS.filter((target) => unknown.length > 1 && target.startsWith(unknown.toLowerCase()));
    const near = started.length > 0 ? started : nearNames(unknown, TARGETS);
    throw new BnfixError('usage', `invalid value for --for: ${unknown}`, {
      where: '--for',
      fix: [`--for ${(near.length > 0 ? near : TARGETS).join(',')}`],
      candidates: near,
    });
  }
  return names.length === 0 ? undefined : names.filter(isTarget);
}

function noFile(): BnfixError {
  return new BnfixError('usage', 'no frozen graph given', {
    why: 'next tells how to use the file that freeze or fold wrote',
    fix: 'bnfix next frozen.pb',
  });
}
