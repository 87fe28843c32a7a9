import { attrType } from '../../graph/attrs.js';
import { DataType, unitRoundoff } from '../../graph/dtype.js';
import type { Node, TensorRef } from '../../graph/node.js';
import { scalarOf } from '../../ops/meaning.js';
import type { Mask } from './dropout_scaling.js';
import type { RandomFactors } from './random_factors.js';

/** What alpha dropout replaces by its input: the ops from the mask to the last. */
export interface AlphaDropout {
  readonly output: string;
  readonly ops: readonly Node[];
}

/** Number of ops after the mask: one that adds the value of dropped elements, a scaling, a shift. */
const MAX_OPS = 6;

/**
 * Alpha dropout (Klambauer et al., Self-Normalizing Neural Networks, 2017): sets elements to a negative number, then scales and
 * shifts all, so that data of mean 0 and variance 1 keeps both. Its output is its input at inference.
 */
export function findAlphaDropout(factors: RandomFactors, mask: Mask, random: Node): AlphaDropout | undefined {
  const ops: Node[] = [];
  for (let node: Node | undefined = mask.node; node && ops.length < MAX_OPS; node = factors.soleReader(node)) {
    if (scalarOf(node.op) === undefined) return undefined;
    ops.push(node);
    if (keepsMoments(factors, { node: node.name, port: 0 }, mask, random)) return { output: node.name, ops };
  }
  return undefined;
}

/** Whether a tensor has mean 0 and variance 1 if the data has, with elements that do not depend on the data. */
function keepsMoments(
  factors: RandomFactors,
  ref: TensorRef,
  { node, x, mean: keep, roundoff }: Mask,
  random: Node,
): boolean {
  if (!(keep > 0 && keep < 1)) return false;
  const at = (value: number, u: number) => factors.valueWith(ref, x, value, random, u);
  const line = (u: number) => ({
    slope: at(1, u) - at(0, u),
    shift: at(0, u),
    curve: at(3, u) - 3 * at(1, u) + 2 * at(0, u),
  });
  // Elements are dropped at one end of the interval.
  const ends = [line(0), line(1 - 1e-9)] as const;
  const [kept, dropped] = ends[0].slope === 0 ? [ends[1], ends[0]] : ends;
  if (dropped.slope !== 0 || kept.slope === 0 || dropped.shift === 0) return false;
  const mean = keep * kept.shift + (1 - keep) * dropped.shift;
  const square = keep * (kept.slope ** 2 + kept.shift ** 2) + (1 - keep) * dropped.shift ** 2;
  const tolerance = 1e-3 + 8 * Math.max(roundoff, unitRoundoff(attrType(node, 'T') ?? DataType.DT_FLOAT));
  return Math.abs(kept.curve) < tolerance && Math.abs(mean) < tolerance && Math.abs(square - 1) < tolerance;
}
