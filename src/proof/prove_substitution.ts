import { tensorName } from '../graph/node.js';
import { Frames } from '../ops/frames.js';
import { compareGraphs } from './compare_graphs.js';
import { Evaluated } from './evaluated.js';
import { withOrigin } from './origin.js';
import type { Proof } from './report.js';
import { acceptRounding, withRounding } from './rounding.js';
import { outputNames, outputsAmong, proved, type Subject, skipped } from './subject.js';
import { isOfStatistics } from './substitution.js';

/**
 * Proves that a repair changed nothing but statistics: the repaired graph, with the batch statistics of the saved graph in place of the
 * constants that it reads, outputs what the saved graph outputs.
 */
export async function proveSubstitution(subject: Subject): Promise<Proof> {
  const { saved, repaired, inputs, tolerance, analysis, layers, substitutions } = subject;
  const { replacements, fused } = analysis.plan;
  const frames = new Frames(saved.graph);
  const isInLoop = (node: string) => saved.graph.has(node) && frames.of(node).length > 0;
  if (substitutions.found.length === 0 && layers.length === 0) {
    const { name } = [...analysis.batchNorms, ...analysis.stored].find(({ name }) => isInLoop(name)) ?? {};
    return skipped('substitution', name === undefined ? { code: 'nothing_repaired' } : { code: 'in_loop', node: name });
  }
  const inLoop = substitutions.tensors.find(({ node }) => isInLoop(node))?.node;
  if (inLoop !== undefined) return skipped('substitution', { code: 'in_loop', node: inLoop });
  const outputs = outputNames(subject);
  const own = layers.map(({ y }) => tensorName(y)).filter((name) => repaired.has(name));
  const compared = [...new Set([...own, ...outputs])];
  const statistics = await saved.run(inputs, [...new Set(substitutions.tensors.map(tensorName))]);
  const applied = new Evaluated(substitutions.applied(statistics), inputs, outputs, own);
  try {
    let comparisons = await compareGraphs(applied, saved, compared, tolerance);
    if (!comparisons.every(({ isWithin }) => isWithin)) {
      const rounded = new Evaluated(substitutions.applied(withRounding(statistics)), inputs, outputs, own);
      try {
        comparisons = await acceptRounding(comparisons, { exact: applied, rounded }, tolerance);
      } finally {
        rounded.close();
      }
    }
    const ofFused = fused.flatMap(({ node, variances }) => [{ node, port: 1 }, { node, port: 2 }, ...variances]);
    const known = new Set([...replacements.map(({ tensor }) => tensor), ...ofFused].map(tensorName));
    const unexplained = substitutions.found
      .filter(({ tensor, isAdded, bypassed }) => {
        return !isAdded && bypassed.length === 0 && !isOfStatistics(saved.graph, tensor, known);
      })
      .map(({ node, index }) => `${node}, input ${index}`);
    const proof = proved('substitution', outputsAmong(comparisons, outputs), comparisons, { unexplained });
    const runs = [applied, saved].map(({ graph }) => ({ graph, inputs }));
    return await withOrigin(proof, subject, [runs[0]!, runs[1]!]);
  } finally {
    applied.close();
  }
}
