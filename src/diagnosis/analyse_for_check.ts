import type { MissingValue } from '../analysis/state/checkpoint_value.js';
import { signaturesOf } from '../analysis/training/outputs.js';
import { BnfixError } from '../errors.js';
import { analyse } from '../freezing/analyse.js';
import type { Analysis } from '../freezing/analysis.js';
import type { FreezeOptions } from '../freezing/options.js';
import type { Model } from '../graph/model.js';
import { refText } from '../graph/node.js';
import { anyOf } from '../ops/meaning.js';
import { outputTypes } from '../ops/registry.js';
import type { Found } from './rules/rule.js';
import { type SavedFlag, savedFlags } from './saved_flags.js';

/** A model at inference and as it is in the file. */
interface Analysed {
  /** With outputs, whether or not they can be determined without being named. */
  readonly analysis: Analysis;
  /** With the flags that have a value in the file. */
  readonly asSaved: Analysis;
  readonly flags: readonly SavedFlag[];
  /** What prevents the analysis of the checkpoint. */
  readonly findings: readonly Found[];
}

/**
 * Analyses a model without being told its outputs: if they are ambiguous, all that may be outputs are.
 * @throws BnfixError `unreadable` when the graph contradicts itself
 */
export function analyseForCheck(model: Model): Analysed {
  try {
    return { ...analyseAll(model), findings: [] };
  } catch (error) {
    const value = foreignCheckpoint(error);
    if (!value) throw error;
    const withoutCheckpoint = { ...model, checkpoint: undefined, objectKeys: undefined };
    return {
      ...analyseAll(withoutCheckpoint),
      findings: [{ node: undefined, detail: { code: 'missing_weight', value } }],
    };
  }
}

function analyseAll(model: Model): Omit<Analysed, 'findings'> {
  const analysis = withOutputs(model, analyse(model));
  const flags = savedFlags(analysis, model.graph);
  const training = flags.filter(({ isInference }) => isInference === false);
  if (training.length === 0) return { analysis, asSaved: analysis, flags };
  const set = Object.fromEntries(training.map(({ name, saved }) => [name, saved!]));
  return { analysis, asSaved: analyse(model, { ...analysis.options, set }), flags };
}

/** The analysis with outputs: those of all signatures, those to propose, or all ends of the graph. */
function withOutputs(model: Model, analysis: Analysis): Analysis {
  const { outputs } = analysis;
  if (outputs.refs.length > 0) return analysis;
  const ofSignatures = signaturesOf(model).flatMap((signature) => signature.outputs.map(({ ref }) => refText(ref)));
  const names = [ofSignatures, outputs.proposed.map(refText), endsOf(model)].find((each) => each.length > 0);
  if (!names) return analysis;
  const options: FreezeOptions = { outputs: [...new Set(names)] };
  return analyse(model, options);
}

const hasEffect = anyOf(
  'effect',
  'save',
  'restore',
  'assign',
  'update',
  'no_op',
  'gradient',
  'constant',
  'placeholder',
);

/** Tensors that nothing reads: where no tensor looks like an output, any of them may be one. */
function endsOf({ graph }: Model): string[] {
  const ends = [...graph.nodes()].filter(
    (node) => !hasEffect(node) && node.inputs.length > 0 && graph.dataConsumers(node.name).length === 0,
  );
  return ends.filter((node) => (outputTypes(node)?.length ?? 1) > 0).map(({ name }) => name);
}

/** What to say of a checkpoint that belongs to another model; undefined for any other error. */
function foreignCheckpoint(error: unknown): MissingValue | undefined {
  if (!(error instanceof BnfixError) || error.code !== 'usage' || error.data?.fitting === undefined) return undefined;
  const { message, where, why, fixes } = error;
  return { message, where, why, fixes };
}
