import { BnfixError } from '../errors.js';
import type { FreezeOptions } from '../freezing/options.js';
import type { LoadOptions } from '../load.js';
import type { Args } from './args.js';
import { resultOptions } from './result_options.js';

/** The parsed arguments of commands that analyse a model: where it is, and what the user says about it. */
export interface ModelRequest {
  readonly model: string;
  readonly load: LoadOptions;
  readonly freeze: FreezeOptions;
}

/**
 * @param example - a correct command line, for the error
 * @throws BnfixError `usage` when the model is missing, or a value contradicts another
 */
export function modelRequest(args: Args, example: string): ModelRequest {
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
      fix: example,
    });
  }
  return {
    model,
    load: given({
      checkpoint: checkpoint === model ? undefined : checkpoint,
      tag: args.string('tag'),
      reference: args.string('reference'),
    }),
    freeze: {
      outputs: [...args.list('outputs'), ...args.list('output_node_names')],
      inputs: args.list('inputs'),
      keep: args.list('keep'),
      map: statisticsMap(args.strings('map')),
      set: pinned(args.list('set')),
      ema: args.flag('ema'),
      allowUntrained: args.flag('allow-untrained'),
      ...given({ signature: args.string('signature') }),
      ...resultOptions(args),
    },
  };
}

/** The options that were given. */
function given<K extends string>(options: Readonly<Record<K, string | undefined>>): Partial<Record<K, string>> {
  const entries = Object.entries<string | undefined>(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Partial<Record<K, string>>;
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
