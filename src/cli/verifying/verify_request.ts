import type { Args } from '../args.js';
import { type ModelRequest, modelRequest } from '../model_request.js';
import { numbersOf, pixelsOf, positiveOf, unclear, wholeOf } from '../number_options.js';

/** The parsed arguments of `bnfix verify`. */
export interface VerifyRequest extends ModelRequest {
  /** The repaired or folded file; undefined to repair in memory. */
  readonly fixed: string | undefined;
  /** `NAME=PATH`. */
  readonly inputs: readonly string[];
  readonly pixels: { readonly scale: number; readonly mean: readonly number[] };
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  /** Options of `verify` that are numbers, as far as they are given. */
  readonly numbers: {
    readonly batch?: number;
    readonly seed?: number;
    readonly atol?: number;
    readonly rtol?: number;
    readonly range?: readonly [number, number];
    readonly at?: readonly number[];
  };
  readonly fold: boolean;
}

/** @throws BnfixError `usage` when a value cannot be read */
export function verifyRequest(args: Args): VerifyRequest {
  const range = numbersOf(args, 'range');
  if (range && !(range.length === 2 && range[0]! < range[1]!))
    throw unclear('range', args.string('range')!, '--range -1,1');
  return {
    ...modelRequest(args, 'bnfix verify MODEL'),
    fixed: args.string('FIXED'),
    inputs: args.strings('input'),
    pixels: pixelsOf(args),
    shapes: shapesOf(args.strings('shape')),
    numbers: given({
      batch: wholeOf(args, 'batch', 1),
      seed: wholeOf(args, 'seed', 0),
      atol: positiveOf(args, 'atol'),
      rtol: positiveOf(args, 'rtol'),
      at: numbersOf(args, 'at'),
      range: range as [number, number] | undefined,
    }),
    fold: args.flag('fold'),
  };
}

function given<T extends object>(options: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}

function shapesOf(entries: readonly string[]): Record<string, number[]> {
  const shapes: Record<string, number[]> = {};
  for (const entry of entries) {
    const [, name, sizes] = /^([^=]+)=([\d,x]+)$/.exec(entry) ?? [];
    if (name === undefined || sizes === undefined) throw unclear('shape', entry, '--shape NAME=4,224,224,3');
    shapes[name] = sizes.split(/[,x]/).map(Number);
  }
  return shapes;
}
