import { BnfixError } from '../errors.js';
import type { FreezeOptions } from '../freezing/options.js';
import type { Args } from './args.js';

/**
 * Options that say how the result should look, as far as they are given.
 * @throws BnfixError `usage` when a value cannot be read
 */
export function resultOptions(args: Args): Pick<FreezeOptions, 'inputShapes' | 'outputNames' | 'target'> {
  const inputShapes = shapesOf(args.strings('input-shape'));
  const outputNames = namesOf(args.list('output-names'));
  return { ...(inputShapes && { inputShapes }), ...(outputNames && { outputNames }), ...targetOf(args) };
}

function targetOf(args: Args): Pick<FreezeOptions, 'target'> {
  const target = args.string('target');
  // The option has choices.
  return target === undefined ? {} : { target: target as NonNullable<FreezeOptions['target']> };
}

/** `NAME=NEW`. */
function namesOf(entries: readonly string[]): FreezeOptions['outputNames'] {
  if (entries.length === 0) return undefined;
  const names = new Map<string, string>();
  for (const entry of entries) {
    const [, output, name] = /^([^=]+)=([^=]+)$/.exec(entry) ?? [];
    if (output === undefined || name === undefined) {
      throw new BnfixError('usage', `cannot read --output-names ${entry}`, {
        where: '--output-names',
        why: 'it takes an output and its new name',
        fix: `--output-names OUTPUT=${entry.replaceAll('=', '') || 'NAME'}`,
      });
    }
    if (names.has(output)) {
      throw new BnfixError('usage', `--output-names gives ${output} two names`, {
        where: '--output-names',
        fix: 'give one',
      });
    }
    names.set(output, name);
  }
  return Object.fromEntries(names);
}

/** `NAME=1,224,224,3` for several inputs, or `1,224,224,3` for the only one. */
function shapesOf(entries: readonly string[]): FreezeOptions['inputShapes'] {
  if (entries.length === 0) return undefined;
  const shapes = new Map<string, readonly number[]>();
  for (const entry of entries) {
    const at = entry.lastIndexOf('=');
    const [name, sizes] = [entry.slice(0, Math.max(0, at)).trim(), sizesOf(entry.slice(at + 1))];
    if (sizes === undefined || at === 0) throw unreadable(entry);
    if (at < 0 && entries.length === 1) return sizes;
    if (at < 0) {
      throw new BnfixError('usage', `--input-shape ${entry} names no input`, {
        where: '--input-shape',
        fix: `--input-shape NAME=${entry}`,
      });
    }
    if (shapes.has(name)) {
      throw new BnfixError('usage', `--input-shape names ${name} twice`, {
        where: '--input-shape',
        fix: 'name it once',
      });
    }
    shapes.set(name, sizes);
  }
  return Object.fromEntries(shapes);
}

/** `1,224,224,3`, also with brackets, with x between sizes, and ?, -1 or None for an open dimension; `[]` for a scalar. */
function sizesOf(text: string): number[] | undefined {
  const inner = /^\s*(?:\[(.*)\]|\((.*)\)|(.+))\s*$/.exec(text);
  if (!inner) return undefined;
  const sizes = (inner[1] ?? inner[2] ?? inner[3]!).trim();
  if (sizes === '') return [];
  const numbers = sizes.split(/\s*[,x]\s*/).map(sizeOf);
  return numbers.includes(undefined) ? undefined : (numbers as number[]);
}

function sizeOf(text: string): number | undefined {
  if (/^(\?|-1|none)$/i.test(text)) return -1;
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

function unreadable(entry: string): BnfixError {
  return new BnfixError('usage', `cannot read --input-shape ${entry}`, {
    where: '--input-shape',
    why: 'a shape is a list of sizes; ? leaves a dimension open',
    fix: '--input-shape NAME=1,224,224,3',
  });
}
