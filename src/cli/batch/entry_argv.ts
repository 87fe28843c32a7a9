import { BnfixError } from '../../errors.js';
import type { EntryKey } from './entry_keys.js';

/**
 * The arguments for the value of a key.
 * @param where - the place in the config, for messages
 * @throws BnfixError `usage` when the value has the wrong type
 */
export function argvOf({ key, name, kind, option }: EntryKey, value: unknown, where: string): string[] {
  const choices = option.choices as readonly string[] | undefined;
  switch (kind) {
    case 'flag':
      if (typeof value !== 'boolean') throw wrongType(where, 'true or false', value);
      return value ? [`--${name}`] : [];
    case 'text':
      if (!isScalar(value)) throw wrongType(where, 'a string', value);
      if (choices && !choices.includes(String(value))) throw wrongType(where, `one of ${choices.join(', ')}`, value);
      return [`--${name}=${value}`];
    case 'list':
      return strings(value, where, `"${key}": ["a", "b"]`).map((each) => `--${name}=${each}`);
    case 'record':
      return isRecord(value)
        ? Object.entries(value).map(([of, one]) => `--${name}=${of}=${recordValue(one, `${where}.${of}`)}`)
        : strings(value, where, `"${key}": { "NAME": VALUE }`).map((each) => `--${name}=${each}`);
  }
}

/** Whether a value of JSON is an object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @throws BnfixError `usage` for a value of the wrong type */
export function wrongType(where: string, wanted: string, value: unknown): BnfixError {
  const is = value === undefined ? 'it is missing' : `it is ${JSON.stringify(value)}`;
  return new BnfixError('usage', `${where} has to be ${wanted}`, { where, why: is.slice(0, 200) });
}

function strings(value: unknown, where: string, example: string): readonly string[] {
  const list = Array.isArray(value) ? value : [value];
  const isList = list.length > 0 && list.every((each) => typeof each === 'string' && each !== '');
  if (!isList) throw wrongType(where, `a string or a list of strings: ${example}`, value);
  return list as readonly string[];
}

/** `false`, `0.5`, `a,b` for ["a", "b"]. */
function recordValue(value: unknown, where: string): string {
  const list = Array.isArray(value) && value.length > 0 ? value : [value];
  if (!list.every(isScalarOrFlag)) throw wrongType(where, 'a value, or a list of values', value);
  return list.join(',');
}

function isScalar(value: unknown): value is string | number {
  return (typeof value === 'string' && value !== '') || typeof value === 'number';
}

function isScalarOrFlag(value: unknown): value is string | number | boolean {
  return isScalar(value) || typeof value === 'boolean';
}
