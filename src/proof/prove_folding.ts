import { fold } from '../freezing/fold.js';
import { tensorName } from '../graph/node.js';
import { compareGraphs } from './compare_graphs.js';
import type { Evaluated } from './evaluated.js';
import { equalTensors, withOrigin } from './origin.js';
import { withPinnedRandomOps } from './pinned_random.js';
import type { Proof } from './report.js';
import { outputNames, outputsAmong, proved, type Subject } from './subject.js';

/** Proves that a folded graph outputs what the repaired one does; tensors that both still have are compared as well. */
export async function proveFolding(subject: Subject, folded: Evaluated): Promise<Proof> {
  const { repaired, tolerance, layers } = subject;
  const names = outputNames(subject);
  const shared = layers.map(({ y }) => tensorName(y)).filter((name) => folded.has(name) && repaired.has(name));
  const compared = await compareGraphs(folded, repaired, [...new Set([...shared, ...names])], tolerance);
  const proof = proved('folding', outputsAmong(compared, names), compared);
  return proof.status === 'failed' ? located(proof, subject, folded) : proof;
}

/** Folding changes weights and what they compute: only what a fold of our own leaves equal can be compared. */
async function located(proof: Proof, subject: Subject, { graph }: Evaluated): Promise<Proof> {
  const { analysis, repaired, inputs } = subject;
  const own = withPinnedRandomOps(fold(analysis.model, analysis.options).graph);
  const among = await equalTensors(subject, [
    { graph: own, inputs },
    { graph: repaired.graph, inputs },
  ]);
  return withOrigin(
    proof,
    subject,
    [
      { graph, inputs },
      { graph: repaired.graph, inputs },
    ],
    { among },
  );
}
