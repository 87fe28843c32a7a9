import type { Problem } from '../analysis/training/problems.js';
import { BnfixError } from '../errors.js';
import { refText } from '../graph/node.js';
import { candidateLines } from './candidate_text.js';

/** A tensor that the user may choose as an output. */
export interface OutputOption {
  /** As for the option `outputs`: `a`, `b:1`. */
  readonly name: string;
  /** Name, op, dtype, shape and why it is a candidate. */
  readonly text: string;
  /** Whether bnfix proposes it. */
  readonly proposed: boolean;
}

/** The tensors to choose from, best first, if a graph was refused because its outputs are unclear; otherwise none. */
export function outputOptions(error: unknown): OutputOption[] {
  if (!(error instanceof BnfixError) || error.code !== 'usage') return [];
  const problems = (error.data?.problems ?? []) as readonly Problem[];
  const unclear = problems.find(({ code }) => code === 'outputs_unclear');
  // With several signatures, one of them has to be named.
  if (unclear?.code !== 'outputs_unclear' || unclear.signatures.length > 0) return [];
  const { candidates, proposed } = unclear;
  const lines = candidateLines(candidates);
  const isProposed = new Set(proposed.map((name) => name.replace(/:0$/, '')));
  return candidates.map(({ ref }, i) => {
    const name = refText(ref);
    return { name, text: lines[i]!, proposed: isProposed.size > 0 ? isProposed.has(name) : i === 0 };
  });
}
