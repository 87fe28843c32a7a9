import { plural } from '../freezing/text.js';
import type { Comparison } from '../proof/compare.js';
import type { Proof, ProofName, VerifyReport } from '../proof/report.js';
import { PROOF_TITLES, proofText, verdictText } from '../proof/wording.js';
import type { Label, VerdictText } from './prose.js';

// The sentences of a page about a verification, apart from those that the terminal shows.

/** What each proof does. */
export const PROOF_HELP: Readonly<Record<ProofName, string>> = {
  batch_independence: 'The other examples of a batch are replaced by others. The first one must output the same.',
  substitution:
    'The repaired graph gets the batch statistics of the saved graph in place of its constants. It must then output what the saved graph does.',
  statistics:
    'In the saved graph, batch statistics are replaced by the moving ones of the checkpoint. Each batch norm and each output must equal that.',
  folding: 'The folded graph must output what the repaired graph does.',
};

const STATUS: Readonly<Record<Proof['status'], Label>> = {
  passed: { text: 'passed', tone: 'good' },
  failed: { text: 'failed', tone: 'bad' },
  skipped: { text: 'not made', tone: 'warn' },
};

/** The result of a proof. */
export function proofLabel({ status }: Proof): Label {
  return STATUS[status];
}

/** The result of a proof as a sentence. */
export function proofSentence(proof: Proof): string {
  const text = proofText(proof);
  // Not the name of a tensor.
  return /^[a-z]+ /.test(text) ? `${text[0]!.toUpperCase()}${text.slice(1)}.` : `${text}.`;
}

/** Whether a tensor is what it has to be. The saved graph is expected not to be. */
export function withinLabel({ isWithin }: Comparison, isSaved: boolean): Label {
  if (isWithin) return { text: isSaved ? 'unchanged' : 'equal', tone: 'good' };
  return isSaved ? { text: 'depends on the batch', tone: 'warn' } : { text: 'differs', tone: 'bad' };
}

/** What the page says first of a verification. */
export function verificationVerdict(report: VerifyReport): VerdictText {
  const { proofs, passed, without } = report;
  const sentences = (status: Proof['status']) =>
    proofs
      .filter((proof) => proof.status === status)
      .map((proof) => `${PROOF_TITLES[proof.name]}: ${proofText(proof)}.`);
  const skipped = sentences('skipped');
  const leftOut =
    without.length === 0
      ? []
      : [`${plural(without.length, 'op')} cannot be run here and ${without.length === 1 ? 'was' : 'were'} left out.`];
  const [independence] = proofs.filter(({ name, status }) => name === 'batch_independence' && status === 'passed');
  const isWhole = skipped.length === 0 && leftOut.length === 0;
  return {
    text: verdictText(report),
    tone: passed ? (isWhole ? 'good' : 'warn') : proofs.some(({ status }) => status === 'failed') ? 'bad' : 'warn',
    details: [...sentences('failed'), ...(independence ? [proofSentence(independence)] : [])],
    warnings: [...skipped, ...leftOut],
    notes: [],
  };
}
