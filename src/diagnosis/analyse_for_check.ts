import { signaturesOf } from '../analysis/training/outputs.js';
import { BnfixError } from '../errors.js';
import { analyse } from '../freezing/analyse.js';
import type { Analysis } from '../freezing/analysis.js';
import { endsOf, isFrozen } from '../freezing/frozen_ends.js';
import type { Model } from '../graph/model.js';
import { refText } from '../graph/node.js';
import type { CheckpointProblem } from './rules/rule.js';
import { type SavedFlag, savedFlags } from './saved_flags.js';

/** A model at inference and as it is in the file. */
export interface Analysed {
  /** With outputs, whether or not they can be determined without being named. */
  readonly analysis: Analysis;
  /** With the flags that have a value in the file. */
  readonly asSaved: Analysis;
  readonly flags: readonly SavedFlag[];
  /** Without the checkpoint, if there is a problem with it. */
  readonly model: Model;
  readonly checkpointProblem: CheckpointProblem | undefined;
}

/**
 * Analyses a model whose outputs nobody has named: if they are ambiguous, all that may be outputs are. A checkpoint that cannot be
 * used is left out.
 *
 * @throws BnfixError `unreadable` when the graph contradicts itself
 */
export function analyseForCheck(model: Model): Analysed {
  try {
    return asChecked(analyse(model));
  } catch (error) {
    const checkpointProblem = model.checkpoint && problemOf(error);
    if (!checkpointProblem) throw error;
    const alone = { ...model, checkpoint: undefined, objectKeys: undefined };
    return { ...asChecked(analyse(alone)), checkpointProblem };
  }
}

/** An analysis, with outputs, and as the model is in the file. */
export function asChecked(found: Analysis): Analysed {
  const { model } = found;
  const analysis = withOutputs(model, found);
  const flags = savedFlags(analysis, model.graph);
  const training = flags.filter(({ isInference }) => isInference === false);
  if (training.length === 0) return { analysis, asSaved: analysis, flags, model, checkpointProblem: undefined };
  const set = Object.fromEntries(training.map(({ name, saved }) => [name, saved!]));
  const asSaved = analyse(model, { ...analysis.options, set: { ...set, ...analysis.options.set } });
  return { analysis, asSaved, flags, model, checkpointProblem: undefined };
}

/** The analysis with outputs: those of all signatures, those to propose, or all ends of the graph. */
function withOutputs(model: Model, analysis: Analysis): Analysis {
  const { outputs, options } = analysis;
  if (outputs.refs.length > 0) return analysis;
  const ofSignatures = signaturesOf(model).flatMap((signature) => signature.outputs.map(({ ref }) => refText(ref)));
  const proposed = outputs.proposed.map(refText);
  const ends = endsOf(model.graph).map(refText);
  const [first, second] = isFrozen(model, analysis.variables) ? [ends, proposed] : [proposed, ends];
  const names = [ofSignatures, first, second].find((each) => each.length > 0);
  return names ? analyse(model, { ...options, outputs: [...new Set(names)] }) : analysis;
}

/** Whether an error is about the checkpoint; without it, an error about the graph comes again. */
function problemOf(error: unknown): CheckpointProblem | undefined {
  if (!(error instanceof BnfixError)) return undefined;
  if (error.code === 'unreadable') return { code: 'unreadable', error };
  return error.code === 'usage' && error.data?.fitting !== undefined ? { code: 'foreign', error } : undefined;
}
