import { PIXEL_OPTIONS } from '../data/data_options.js';
import type { Option, OptionTable } from '../option.js';

/** What the value of an option looks like in a config. */
export type KeyKind =
  /** true or false */
  | 'flag'
  /** text or a number */
  | 'text'
  /** a text, or a list of texts */
  | 'list'
  /** an object: `NAME=VALUE` on the command line */
  | 'record';

/** An option as a key of a config. */
export interface EntryKey {
  /** As in a config: `allowUntrained`. */
  readonly key: string;
  /** As on the command line, without dashes: `allow-untrained`. */
  readonly name: string;
  readonly option: Option;
  readonly kind: KeyKind;
}

/** Options that are about the command, not about a model; and the output, which every model has. */
const NOT_OF_A_MODEL: ReadonlySet<string> = new Set([
  'config',
  'jobs',
  'dry-run',
  'output',
  // Of `verify`: a config has no data.
  'input',
  ...Object.keys(PIXEL_OPTIONS),
]);

/** The options that a config may set for a model, by their keys. */
export function entryKeys(options: OptionTable): ReadonlyMap<string, EntryKey> {
  const keys = Object.entries(options)
    .filter(([name, { hidden }]) => !hidden && !NOT_OF_A_MODEL.has(name))
    .map(([name, option]): EntryKey => ({ key: camelCase(name), name, option, kind: kindOf(option) }));
  return new Map(keys.map((entry) => [entry.key, entry]));
}

function kindOf({ type, array, value }: Option): KeyKind {
  if (type === 'boolean') return 'flag';
  if (!array) return 'text';
  return value?.includes('=') ? 'record' : 'list';
}

function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
