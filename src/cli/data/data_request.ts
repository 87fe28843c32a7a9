import type { SampleOptions } from '../../proof/samples.js';
import type { Args } from '../args.js';
import { given, numbersOf, pixelsOf, unclear, wholeOf } from '../number_options.js';
import type { Pixels } from './image.js';

/** What a graph is run with: files, and how random values are drawn. */
export interface DataRequest {
  /** `NAME=PATH`, or `PATH` for the only input. */
  readonly inputs: readonly string[];
  readonly pixels: Pixels;
  readonly sampling: SampleOptions;
}

/** @throws BnfixError `usage` when a value cannot be read */
export function dataRequest(args: Args): DataRequest {
  const range = numbersOf(args, 'range');
  if (range && !(range.length === 2 && range[0]! < range[1]!))
    throw unclear('range', args.string('range')!, '--range -1,1');
  return {
    inputs: args.strings('input'),
    pixels: pixelsOf(args),
    sampling: given<SampleOptions>({
      shapes: shapesOf(args.strings('shape')),
      batch: wholeOf(args, 'batch', 1),
      seed: wholeOf(args, 'seed', 0),
      range: range as [number, number] | undefined,
    }),
  };
}

function shapesOf(entries: readonly string[]): Record<string, number[]> {
  const shapes: Record<string, number[]> = {};
  for (const entry of entries) {
    const [, name, sizes] = /^([^=]+)=(\d+(?:[,x]\d+)*)$/.exec(entry) ?? [];
    if (name === undefined || sizes === undefined) throw unclear('shape', entry, '--shape NAME=4,224,224,3');
    shapes[name] = sizes.split(/[,x]/).map(Number);
  }
  return shapes;
}
