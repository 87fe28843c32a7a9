import { plural } from '../freezing/text.js';
import type { Comparison } from './compare.js';
import type { Proof, ProofName, SkipReason, VerifyReport } from './report.js';

/** What a proof shows. */
export const PROOF_TITLES: Readonly<Record<ProofName, string>> = {
  batch_independence: 'Batch independence',
  substitution: 'Only statistics changed',
  statistics: 'Right statistics',
  folding: 'Folding',
};

/** The result of a proof in a sentence. */
export function proofText(proof: Proof): string {
  const { name, status, reason, firstDifference, unexplained } = proof;
  if (status === 'skipped') return `not verified: ${skipText(reason!)}`;
  if (status === 'failed') {
    return firstDifference
      ? `${FAILED[name]}: ${differenceText(firstDifference, proof)}`
      : `${unexplained[0]} became constant, and is not a statistic of a batch norm${layerText(proof)}`;
  }
  const error = errorText(worst(proof.outputs));
  if (name === 'batch_independence') return `an example outputs the same alone and in a batch${savedText(proof)}`;
  return `${PASSED[name]} (largest difference ${error})`;
}

/** What the saved graph does: one that is right already needs no repair. */
function savedText(proof: Proof): string {
  const { saved } = proof;
  if (saved.length === 0) return '';
  if (saved.every(({ isWithin }) => isWithin)) return `, as it does in the saved graph${flagsText(proof)}`;
  return `; in the saved graph${flagsText(proof)} it changes by up to ${errorText(worst(saved))}`;
}

function flagsText({ savedFlags = {} }: Proof): string {
  const values = Object.entries(savedFlags).map(([node, value]) => `${node} = ${value}`);
  return values.length === 0 ? '' : ` with ${values.join(', ')}`;
}

function differenceText({ tensor, maxError }: Comparison, proof: Proof): string {
  const { rewired } = proof;
  const instead = rewired ? `; it reads ${rewired.reads} instead of ${rewired.insteadOf}` : '';
  return `${tensor}${layerText(proof)} is the first tensor that differs, by ${errorText(maxError)}${instead}`;
}

function layerText({ layer, after }: Proof): string {
  if (layer !== undefined) return ` (batch norm ${layer})`;
  return after === undefined ? '' : ` (after batch norm ${after})`;
}

const PASSED: Readonly<Record<Exclude<ProofName, 'batch_independence'>, string>> = {
  substitution: 'with the statistics of the saved graph, both output the same',
  statistics: 'batch norms and outputs are what the stored moving statistics give',
  folding: 'the folded graph outputs what the repaired one outputs',
};

const FAILED: Readonly<Record<ProofName, string>> = {
  batch_independence: 'an example outputs something else alone than in a batch',
  substitution: 'something other than statistics was changed',
  statistics: 'not what the stored moving statistics give',
  folding: 'the folded graph outputs something else',
};

/** Why a proof was not made. */
export function skipText(reason: SkipReason): string {
  switch (reason.code) {
    case 'batch_of_one':
      return 'the graph takes one example at a time';
    case 'no_batch_axis':
      return 'no output has one row for each example';
    case 'rows_combined':
      return `the first axis is not a batch: ${reason.node} (${reason.op}) combines its rows, and no batch statistics feed the outputs`;
    case 'nothing_repaired':
      return 'the model has no batch norm to repair';
    case 'in_loop':
      return `${reason.node} is in a loop, whose tensors cannot be read: only outputs are compared`;
    case 'cannot_run':
      return reason.why === undefined ? reason.message : `${reason.message}: ${reason.why}`;
  }
}

/** The verdict in a sentence. */
export function verdictText({ proofs, passed, layers }: VerifyReport): string {
  const made = proofs.filter(({ status }) => status !== 'skipped').length;
  const failed = proofs.filter(({ status }) => status === 'failed').length;
  const compared = layers.filter(({ error }) => error !== undefined).length;
  const norms = compared === 0 ? '' : `, ${plural(compared, 'batch norm')} compared`;
  if (passed) return `Verified: ${made} of ${plural(proofs.length, 'proof')} passed${norms}`;
  if (failed === 0) return 'Not verified: the graph cannot be run';
  return `WRONG: ${failed} of ${plural(made, 'proof')} failed${norms}`;
}

/** The largest error of several tensors. */
export function worst(comparisons: readonly Comparison[]): number {
  return Math.max(0, ...comparisons.map(({ maxError }) => maxError));
}

/** An error with two digits. */
export function errorText(error: number): string {
  return error === 0 ? '0' : Number.isFinite(error) ? error.toPrecision(2) : 'infinity';
}
