import type { Dropout } from '../analysis/training/dropouts.js';
import type { Pins } from '../analysis/values/constants.js';
import { evaluate } from '../analysis/values/evaluate.js';
import type { Analysis } from '../freezing/analysis.js';
import type { Graph } from '../graph/graph.js';
import { sameRef, type TensorRef } from '../graph/node.js';
import { anyOf } from '../ops/meaning.js';
import type { FlagSetting } from './finding.js';

/** A dropout that is active, or that a rate turns off. */
export interface ActiveDropout {
  readonly dropout: Dropout;
  /** Whether it drops elements if nothing is fed that has a value in the file. */
  readonly isActive: boolean;
  /** Placeholders that have to be fed, or whose default has to be overridden, to turn it off; empty if nothing turns it off. */
  readonly offWith: readonly FlagSetting[];
  /** Whether a value has to be fed in any case. */
  readonly needsFeed: boolean;
}

const isPlaceholder = anyOf('placeholder');
const isRandom = anyOf('random');
const isUniform = anyOf('uniform');

/** What a random op may draw. */
const UNIFORM = [0, 0.001, 0.25, 0.5, 0.75, 0.999];
const SYMMETRIC = [-2, -0.5, 0.1, 0.5, 2];
/** Any number that is not a result of rounding. */
const X = 1.7;
const TOLERANCE = 1e-4;

/**
 * Determines whether a dropout is active with its rate as it is in the file: at a rate of 0 it forwards its input. A rate may be
 * a constant, a placeholder (which has to be fed), the default of one, or a variable.
 */
export function activeDropout({ graph, variables }: Rated, dropout: Dropout, defaults: Pins): ActiveDropout {
  const rateAt = (ref: TensorRef) => {
    const node = graph.find(ref.node);
    return node && isPlaceholder(node) ? node.name : variables.readBy(ref)?.node;
  };
  const rates = ratesOf(graph, dropout, rateAt);
  const open = rates.filter((name) => !defaults.has(name));
  const forwards = (value: (name: string) => number | undefined) =>
    isForwarding(graph, dropout, (ref) => {
      const name = rateAt(ref);
      return name === undefined ? undefined : value(name);
    });
  if (open.length === 0 && forwards((name) => defaults.get(name))) {
    return { dropout, isActive: false, offWith: [], needsFeed: false };
  }
  const off = [1, 0].find((value) => rates.length > 0 && forwards(() => value));
  const offWith = off === undefined ? [] : rates.map((name) => ({ name, value: off }));
  return { dropout, isActive: open.length === 0 || off === undefined, offWith, needsFeed: open.length > 0 };
}

/** The part of an analysis that knows where rates are. */
type Rated = Pick<Analysis, 'graph' | 'variables'>;

/** The placeholders and variables that its mask depends on. @param rateAt - which of them a tensor is the value of */
function ratesOf(graph: Graph, { output, x }: Dropout, rateAt: (ref: TensorRef) => string | undefined): string[] {
  const found = new Set<string>();
  const seen = new Set([output]);
  for (const name of seen) {
    const node = graph.find(name);
    // The inputs of a random op are a shape and seeds.
    if (!node || isRandom(node)) continue;
    for (const ref of node.inputs) {
      const rate = sameRef(ref, x) ? undefined : rateAt(ref);
      if (rate !== undefined) found.add(rate);
      else if (!sameRef(ref, x)) seen.add(ref.node);
    }
  }
  return [...found];
}

/** Whether the output of a dropout is its input whatever is drawn. @param rate - the values of rates */
function isForwarding(
  graph: Graph,
  { output, x, random }: Dropout,
  rate: (ref: TensorRef) => number | undefined,
): boolean {
  const draws = isUniform(graph.find(random)) ? UNIFORM : SYMMETRIC;
  return draws.every((drawn) => {
    const known = (leaf: TensorRef) => {
      if (sameRef(leaf, x)) return X;
      return leaf.node === random ? drawn : rate(leaf);
    };
    return Math.abs(evaluate(graph, { node: output, port: 0 }, known) - X) < TOLERANCE * X;
  });
}
