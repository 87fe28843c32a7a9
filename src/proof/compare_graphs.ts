import type { TensorValue } from '../run/value.js';
import { type Comparison, compare, type Tolerance } from './compare.js';
import type { Evaluated } from './evaluated.js';

/** How many elements are kept at the same time: 256 MB of float32. */
const ROOM = 2 ** 26;

/** Values that were kept, and the tensors that there was no room for. */
export interface Kept {
  readonly values: ReadonlyMap<string, TensorValue>;
  readonly left: readonly string[];
}

/** The values of tensors, as far as there is room for them: one at least. */
export async function keptValues(graph: Evaluated, tensors: readonly string[]): Promise<Kept> {
  let kept = { values: new Map<string, TensorValue>(), left: [] as string[] };
  await graph.visit(tensors, () => {
    const mine = { values: new Map<string, TensorValue>(), left: [] as string[] };
    kept = mine;
    let room = ROOM;
    return (name, value) => {
      if (mine.values.size > 0 && value.data.length > room) mine.left.push(name);
      else {
        mine.values.set(name, value);
        room -= value.data.length;
      }
    };
  });
  return kept;
}

/**
 * Compares tensors of two graphs, as many at a time as there is room for.
 * @param view - the part of a value that is compared; undefined for a value that is not
 * @returns in the order of computation
 */
export async function compareGraphs(
  actual: Evaluated,
  expected: Evaluated,
  tensors: readonly string[],
  tolerance: Tolerance,
  view: (value: TensorValue) => TensorValue | undefined = (value) => value,
): Promise<Comparison[]> {
  const compared: Comparison[] = [];
  for (let waiting = tensors; waiting.length > 0; ) {
    const { values, left } = await keptValues(expected, waiting);
    let group: Comparison[] = [];
    await actual.visit([...values.keys()], () => {
      const mine: Comparison[] = [];
      group = mine;
      return (name, value) => {
        const [a, b] = [view(value), view(values.get(name)!)];
        if (a && b) mine.push(compare(name, a, b, tolerance));
      };
    });
    compared.push(...group);
    waiting = left;
  }
  return compared;
}
