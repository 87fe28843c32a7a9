import type { BnfixError } from '../../errors.js';
import type { Analysis } from '../../freezing/analysis.js';
import type { Model } from '../../graph/model.js';
import type { NodeSet } from '../../graph/node_set.js';
import type { ActiveDropout } from '../active_dropouts.js';
import type { Finding, FindingDetail, Level, RuleId } from '../finding.js';
import type { SavedFlag } from '../saved_flags.js';

/** A rule of `check`: finds one kind of fault in a model. Changes nothing. */
export interface Rule {
  readonly id: RuleId;
  /** How serious its findings are, unless the user says otherwise. */
  readonly level: Level;
  find(context: CheckContext): Iterable<Found>;
}

/** A finding of a rule, without what is the same for all of them. */
export interface Found extends Pick<Finding, 'node'> {
  readonly detail: FindingDetail;
}

/** Why the checkpoint next to a graph was not used: it cannot be read, or it belongs to another model. */
export interface CheckpointProblem {
  readonly code: 'unreadable' | 'foreign';
  readonly error: BnfixError;
}

/** What rules look at. */
export interface CheckContext {
  /** The model as it is in the file. */
  readonly model: Model;
  /** The model at inference: flags have the values of inference. */
  readonly analysis: Analysis;
  /**
   * The model if nobody feeds what has a value in the file: flags whose default is training have it. The same as `analysis`
   * where no flag has such a default.
   */
  readonly asSaved: Analysis;
  /** The nodes of `analysis.graph` that feed an output. */
  readonly live: NodeSet;
  readonly flags: readonly SavedFlag[];
  /** The dropouts of `analysis`, and whether their rates turn them off. */
  readonly dropouts: readonly ActiveDropout[];
  readonly checkpointProblem: CheckpointProblem | undefined;
  /** Whether the file is there to be run, not to be trained: a frozen graph, or a SavedModel with the tag `serve`. */
  readonly isForServing: boolean;
}
