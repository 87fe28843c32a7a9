import { didYouMean } from './did_you_mean.js';
import { BnfixError } from './errors.js';

/** The type of an option: `record` is an object by name, `any` is not checked. */
export type OptionKind = 'boolean' | 'number' | 'string' | 'strings' | 'numbers' | 'record' | 'any';

/** The kind of every option of a function. */
export type OptionKinds<T> = { readonly [K in keyof Required<T>]: OptionKind };

const KINDS: Readonly<Record<OptionKind, readonly [text: string, test: (value: unknown) => boolean]>> = {
  boolean: ['true or false', (value) => typeof value === 'boolean'],
  number: ['a number', (value) => typeof value === 'number' && !Number.isNaN(value)],
  string: ['a string', (value) => typeof value === 'string'],
  strings: ['a list of strings', (value) => Array.isArray(value) && value.every((each) => typeof each === 'string')],
  numbers: ['a list of numbers', (value) => Array.isArray(value) && value.every((each) => typeof each === 'number')],
  record: ['an object', (value) => typeof value === 'object' && value !== null && !Array.isArray(value)],
  any: ['anything', () => true],
};

/**
 * Checks the options of a function at run time, for callers without TypeScript.
 * @throws BnfixError `usage` for an unknown option or a value of the wrong type
 */
export function checkOptions<T extends object>(caller: string, options: T, kinds: OptionKinds<T>): void {
  for (const [option, value] of Object.entries(options)) {
    const kind = (kinds as Readonly<Record<string, OptionKind>>)[option];
    if (kind === undefined) {
      throw new BnfixError('usage', `${caller} has no option ${option}`, {
        option,
        fix: didYouMean(option, Object.keys(kinds)) ?? `its options are: ${Object.keys(kinds).join(', ')}`,
      });
    }
    const [text, test] = KINDS[kind];
    if (value === undefined || test(value)) continue;
    throw new BnfixError('usage', `the option ${option} of ${caller} takes ${text}`, {
      option,
      why: `it is ${JSON.stringify(value) ?? typeof value}`,
      fix: kind === 'strings' && typeof value === 'string' ? `${option}: ['${value}']` : undefined,
    });
  }
}
