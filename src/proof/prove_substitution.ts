import { parseInput, tensorName } from '../graph/node.js';
import { Frames } from '../ops/frames.js';
import { compare } from './compare.js';
import type { Proof } from './report.js';
import { outputNames, proved, runOn, type Subject, skipped } from './subject.js';
import { isOfStatistics, Substitutions } from './substitution.js';

/**
 * Proves that a repair changed nothing but statistics: the repaired graph, with the batch statistics of the saved graph in place of the
 * constants that it reads, outputs what the saved graph outputs.
 */
export async function proveSubstitution(subject: Subject): Promise<Proof> {
  const { repaired, inputs, tolerance, analysis, layers } = subject;
  const { replacements, fused } = analysis.plan;
  const saved = subject.saved.copy();
  const replaced = replacements.map(({ tensor }) => tensor);
  const substitutions = new Substitutions(saved, repaired, subject.ends, replaced);
  if (substitutions.found.length === 0 && layers.length === 0) {
    return skipped('substitution', { code: 'nothing_repaired' });
  }
  const frames = new Frames(saved);
  const inLoop = substitutions.tensors.find(({ node }) => frames.of(node).length > 0)?.node;
  if (inLoop !== undefined) return skipped('substitution', { code: 'in_loop', node: inLoop });
  const outputs = outputNames(subject);
  const own = layers.map(({ y }) => tensorName(y)).filter((name) => repaired.has(parseInput(name).node));
  const compared = [...new Set([...own, ...outputs])];
  const before = await runOn(saved, inputs, [...compared, ...substitutions.tensors.map(tensorName)]);
  const after = await runOn(substitutions.applied(before), inputs, compared);
  const comparisons = compared.map((name) => compare(name, after[name]!, before[name]!, tolerance));
  const isOutput = new Set(outputs);
  const ofFused = fused.flatMap(({ node, variances }) => [{ node, port: 1 }, { node, port: 2 }, ...variances]);
  const statistics = new Set([...replaced, ...ofFused].map(tensorName));
  return proved(
    'substitution',
    comparisons.filter(({ tensor }) => isOutput.has(tensor)),
    {
      firstDifference: comparisons.find(({ isWithin }) => !isWithin),
      unexplained: substitutions.found
        .filter(({ tensor, isAdded, bypassed }) => {
          return !isAdded && bypassed.length === 0 && !isOfStatistics(saved, tensor, statistics);
        })
        .map(({ node, index }) => `${node}, input ${index}`),
    },
  );
}
