import { signaturesOf } from '../analysis/training/outputs.js';
import { BnfixError } from '../errors.js';
import { analyse, analyseNaming } from '../freezing/analyse.js';
import type { Analysis } from '../freezing/analysis.js';
import { endsOf } from '../freezing/frozen_ends.js';
import type { FreezeOptions } from '../freezing/options.js';
import type { OutputsFound } from '../freezing/outputs.js';
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
    return asSavedToo(analyseWithOutputs(model));
  } catch (error) {
    const checkpointProblem = model.checkpoint && problemOf(error);
    if (!checkpointProblem) throw error;
    const alone = { ...model, checkpoint: undefined, objectKeys: undefined };
    return { ...asSavedToo(analyseWithOutputs(alone)), checkpointProblem };
  }
}

/** An analysis, with outputs, and as the model is in the file. */
export function asChecked(found: Analysis): Analysed {
  return asSavedToo(found.outputs.refs.length > 0 ? found : analyseWithOutputs(found.model, found.options));
}

function asSavedToo(analysis: Analysis): Analysed {
  const { model } = analysis;
  const flags = savedFlags(analysis, model.graph);
  const training = flags.filter(({ isInference }) => isInference === false);
  if (training.length === 0) return { analysis, asSaved: analysis, flags, model, checkpointProblem: undefined };
  const set = Object.fromEntries(training.map(({ name, saved }) => [name, saved!]));
  const asSaved = analyse(model, { ...analysis.options, set: { ...set, ...analysis.options.set } });
  return { analysis, asSaved, flags, model, checkpointProblem: undefined };
}

/** The analysis with outputs: those of all signatures, those to propose, or all ends of the graph. */
function analyseWithOutputs(model: Model, options: FreezeOptions = {}): Analysis {
  return analyseNaming(model, options, ({ proposed }: OutputsFound, isFrozen) => {
    const ofSignatures = signaturesOf(model).flatMap(({ outputs }) => outputs.map(({ ref }) => ref));
    const ends = endsOf(model.graph);
    const [first, second] = isFrozen ? [ends, proposed] : [proposed, ends];
    const refs = [ofSignatures, first, second].find((each) => each.length > 0) ?? [];
    return [...new Set(refs.map(refText))];
  });
}

/** Whether an error is about the checkpoint; without it, an error about the graph comes again. */
function problemOf(error: unknown): CheckpointProblem | undefined {
  if (!(error instanceof BnfixError)) return undefined;
  if (error.code === 'unreadable') return { code: 'unreadable', error };
  return error.code === 'usage' && error.data?.fitting !== undefined ? { code: 'foreign', error } : undefined;
}
