import { basename } from 'node:path';
import { BnfixError } from '../errors.js';
import type { FreezeOptions } from '../freezing/options.js';
import type { LoadOptions } from '../load.js';
import { shellQuoted } from '../quoted.js';
import type { Args } from './args.js';
import type { OptionTable } from './option.js';

/** The parsed arguments of `bnfix freeze`. */
export interface FreezeRequest {
  readonly model: string;
  readonly load: LoadOptions;
  /** Where to write the result; `-` is stdout; undefined in a dry run without -o. */
  readonly output: string | undefined;
  readonly force: boolean;
  /** Wait until the file is on disk. */
  readonly sync: boolean;
  /** Read the file again and compare. */
  readonly verifyWritten: boolean;
  readonly dryRun: boolean;
  readonly freeze: FreezeOptions;
}

/** The flags of TensorFlow's freeze_graph, so that scripts only change one word. bnfix detects what the last ones say. */
export const FREEZE_GRAPH_OPTIONS: OptionTable = {
  input_meta_graph: { type: 'string', hidden: true, requiresArg: true },
  input_checkpoint: { type: 'string', hidden: true, requiresArg: true },
  input_graph: { type: 'string', hidden: true, requiresArg: true },
  input_saved_model_dir: { type: 'string', hidden: true, requiresArg: true },
  output_node_names: { type: 'string', array: true, hidden: true, requiresArg: true },
  output_graph: { type: 'string', hidden: true, requiresArg: true },
  input_binary: { type: 'string', hidden: true },
  clear_devices: { type: 'string', hidden: true },
  checkpoint_version: { type: 'string', hidden: true },
  restore_op_name: { type: 'string', hidden: true },
  filename_tensor_name: { type: 'string', hidden: true },
  initializer_nodes: { type: 'string', hidden: true },
};

/** @throws BnfixError `usage` when a value is missing or contradicts another */
export function freezeRequest(args: Args): FreezeRequest {
  const checkpoint = args.oneOf('checkpoint', 'input_checkpoint');
  const graph = args.oneOf('input_meta_graph', 'input_graph', 'input_saved_model_dir');
  const positional = args.positional('MODEL');
  if (positional !== undefined && graph !== undefined && graph !== positional) {
    throw new BnfixError('usage', `two models: ${positional} and ${graph}`, { fix: 'name one' });
  }
  const model = positional ?? graph ?? checkpoint;
  if (model === undefined) {
    throw new BnfixError('usage', 'no model given', {
      why: 'a model is a .meta file, a checkpoint, a .pb file or a SavedModel folder',
      fix: `bnfix ${args.given[0] === 'fold' ? 'fold' : 'freeze'} MODEL -o frozen.pb`,
    });
  }
  const output = args.oneOf('output', 'output_graph');
  const dryRun = args.flag('dry-run');
  if (output === undefined && !dryRun) throw noOutput(model);
  if (output !== undefined) refuseOtherFormats(output);
  if (output === '-' && args.flag('verify-written')) throw cannotVerifyStdout();
  const [outputs, inputs] = [[...args.list('outputs'), ...args.list('output_node_names')], args.list('inputs')];
  const [keep, map] = [args.list('keep'), statisticsMap(args.strings('map'))];
  return {
    model,
    load: given({
      checkpoint: checkpoint === model ? undefined : checkpoint,
      tag: args.string('tag'),
      reference: args.string('reference'),
    }),
    output,
    force: args.flag('force'),
    sync: args.flag('sync'),
    verifyWritten: args.flag('verify-written'),
    dryRun,
    freeze: {
      outputs,
      inputs,
      keep,
      map,
      set: pinned(args.list('set')),
      ema: args.flag('ema'),
      allowUntrained: args.flag('allow-untrained'),
      ...given({ signature: args.string('signature') }),
    },
  };
}

/** The options that were given. */
function given<K extends string>(options: Readonly<Record<K, string | undefined>>): Partial<Record<K, string>> {
  const entries = Object.entries<string | undefined>(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Partial<Record<K, string>>;
}

/** A name for the result of a model. */
export function proposedName(model: string): string {
  const name = basename(model).replace(/(\.meta|\.index|\.data-\d{5}-of-\d{5}|\.pbtxt|\.pb|\.ckpt)+$/, '');
  return /^\.*$/.test(name) ? 'frozen.pb' : `${name}.${/frozen/i.test(name) ? 'fixed' : 'frozen'}.pb`;
}

function noOutput(model: string): BnfixError {
  return new BnfixError('usage', 'no output file given', {
    where: '-o',
    fix: `-o ${shellQuoted(proposedName(model))}   (or -o - for stdout, or --dry-run)`,
  });
}

function cannotVerifyStdout(): BnfixError {
  return new BnfixError('usage', 'stdout cannot be read again', {
    where: '--verify-written',
    fix: '-o FILE, or leave out --verify-written and compare the sha256 of --json',
  });
}

/** Extensions of formats other than GraphDef. */
const OTHER_FORMATS = /\.(onnx|tflite|h5|keras|json|meta|index|ckpt|npz|zip)$/i;

function refuseOtherFormats(output: string): void {
  const extension = OTHER_FORMATS.exec(output)?.[0];
  if (extension === undefined) return;
  throw new BnfixError('usage', `bnfix does not write ${extension} files`, {
    where: `-o ${output}`,
    why: 'the result is a frozen GraphDef: .pb (binary) or .pbtxt (text)',
    fix: `-o ${shellQuoted(`${output.slice(0, -extension.length)}.pb`)}`,
  });
}

function statisticsMap(entries: readonly string[]): NonNullable<FreezeOptions['map']> {
  const map: Record<string, string | readonly [string, string]> = {};
  for (const entry of entries) {
    const [, name, mean, variance] = /^([^=]+)=([^,]+)(?:,([^,]+))?$/.exec(entry) ?? [];
    if (name === undefined || mean === undefined) {
      throw new BnfixError('usage', `cannot read --map ${entry}`, {
        where: '--map',
        fix: '--map BATCH_NORM=MEAN,VARIANCE   (a node, then two variables or checkpoint keys)',
      });
    }
    if (map[name]) throw new BnfixError('usage', `--map names ${name} twice`, { where: '--map', fix: 'name it once' });
    map[name] = variance === undefined ? mean.trim() : [mean.trim(), variance.trim()];
  }
  return map;
}

/** NAME=VALUE: true, false or a number. */
function pinned(entries: readonly string[]): NonNullable<FreezeOptions['set']> {
  const set: Record<string, boolean | number> = {};
  for (const entry of entries) {
    const [, name, text] = /^([^=]+)=(.+)$/.exec(entry) ?? [];
    const value = /^(true|false)$/i.test(text ?? '') ? text!.toLowerCase() === 'true' : Number(text ?? Number.NaN);
    if (name === undefined || Number.isNaN(value)) {
      throw new BnfixError('usage', `cannot read --set ${entry}`, {
        where: '--set',
        fix: '--set NAME=VALUE, where VALUE is true, false or a number: --set is_training=false,keep_prob=1',
      });
    }
    if (set[name] !== undefined && set[name] !== value) {
      throw new BnfixError('usage', `--set gives ${name} two values`, { where: '--set', fix: 'name it once' });
    }
    set[name] = value;
  }
  return set;
}
