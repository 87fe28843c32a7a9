import { BnfixError } from '../errors.js';
import type { Args } from './args.js';
import type { Pixels } from './data/image.js';

/** The value of an option that is a number. @throws BnfixError `usage` for anything else */
export function numberOf(args: Args, name: string): number | undefined {
  const text = args.string(name);
  if (text === undefined) return undefined;
  const number = Number(text);
  if (text.trim() === '' || !Number.isFinite(number)) throw unclear(name, text, `--${name} 0.5`);
  return number;
}

/** The value of an option that is a number of at least 0. @throws BnfixError `usage` for anything else */
export function positiveOf(args: Args, name: string): number | undefined {
  const number = numberOf(args, name);
  if (number !== undefined && number < 0) throw unclear(name, args.string(name)!, `--${name} 1e-4`);
  return number;
}

/** The value of an option that is a whole number. @throws BnfixError `usage` for anything else, and for less than `least` */
export function wholeOf(args: Args, name: string, least: number): number | undefined {
  const number = numberOf(args, name);
  if (number !== undefined && !(Number.isSafeInteger(number) && number >= least)) {
    throw unclear(name, args.string(name)!, `--${name} 4`);
  }
  return number;
}

/** The value of an option that is a list of numbers. @throws BnfixError `usage` for anything else */
export function numbersOf(args: Args, name: string): number[] | undefined {
  const text = args.string(name);
  if (text === undefined) return undefined;
  const numbers = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (numbers.some((number) => !Number.isFinite(number))) throw unclear(name, text, `--${name} 0,1`);
  return numbers;
}

/** How pixels of pictures become numbers: the options `scale` and `mean`. */
export function pixelsOf(args: Args): Pixels {
  return { scale: numberOf(args, 'scale') ?? 1, mean: numbersOf(args, 'mean') ?? [0] };
}

/** The error for a value that cannot be read. @param fix - one that can be */
export function unclear(option: string, text: string, fix: string): BnfixError {
  return new BnfixError('usage', `cannot read --${option} ${text}`, { where: `--${option}`, fix });
}

/** The options that have a value. */
export function given<T extends object>(options: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}
