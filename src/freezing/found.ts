import type { Updates } from '../analysis/state/moving_averages.js';
import type { Inference, Training } from '../analysis/training/inference.js';
import type { Checkpoint } from '../graph/model.js';
import type { PreparePlan } from '../passes/pass.js';
import type { FreezeOptions } from './options.js';
import type { OutputsFound } from './outputs.js';

/** The facts from which findings are computed. */
export interface Found {
  readonly outputs: OutputsFound;
  readonly plan: PreparePlan;
  readonly training: Training;
  readonly inference: Inference;
  readonly checkpoint: Checkpoint | undefined;
  readonly options: FreezeOptions;
  /** The moving averages that a recognised flag selects; undefined if none does. */
  readonly selected: Updates | undefined;
  /** Placeholders in place of ends of input pipelines in loops, and the loop of each. */
  readonly inLoops: ReadonlyMap<string, string>;
}
