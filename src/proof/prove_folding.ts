import { tensorName } from '../graph/node.js';
import { compareGraphs } from './compare_graphs.js';
import type { Evaluated } from './evaluated.js';
import type { Proof } from './report.js';
import { outputNames, outputsAmong, proved, type Subject } from './subject.js';

/** Proves that a folded graph outputs what the repaired one does; tensors that both still have are compared as well. */
export async function proveFolding(subject: Subject, folded: Evaluated): Promise<Proof> {
  const { repaired, tolerance, layers } = subject;
  const names = outputNames(subject);
  const shared = layers.map(({ y }) => tensorName(y)).filter((name) => folded.has(name) && repaired.has(name));
  const compared = await compareGraphs(folded, repaired, [...new Set([...shared, ...names])], tolerance);
  return proved('folding', outputsAmong(compared, names), compared);
}
