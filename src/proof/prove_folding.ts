import type { Graph } from '../graph/graph.js';
import { tensorName } from '../graph/node.js';
import { compare } from './compare.js';
import type { Proof } from './report.js';
import { outputNames, proved, runOn, type Subject } from './subject.js';

/** Proves that a folded graph outputs what the repaired one does; tensors that both still have are compared as well. */
export async function proveFolding(subject: Subject, folded: Graph): Promise<Proof> {
  const { repaired, inputs, tolerance, layers } = subject;
  const names = outputNames(subject);
  const shared = layers.map(({ y }) => y).filter(({ node }) => folded.has(node) && repaired.has(node));
  const all = [...new Set([...shared.map(tensorName), ...names])];
  const [before, after] = [await runOn(repaired, inputs, all), await runOn(folded, inputs, all)];
  const compared = all.map((name) => compare(name, after[name]!, before[name]!, tolerance));
  const isOutput = new Set(names);
  return proved(
    'folding',
    compared.filter(({ tensor }) => isOutput.has(tensor)),
    { firstDifference: compared.find(({ isWithin }) => !isWithin) },
  );
}
