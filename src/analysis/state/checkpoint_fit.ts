import { BnfixError } from '../../errors.js';
import type { Checkpoint } from '../../graph/model.js';
import type { Variable } from './variables.js';

/** How many variables of a graph have a value in a checkpoint. */
export interface CheckpointFit {
  /** Variables whose key is in the checkpoint, with their dtype and shape. */
  readonly fitting: number;
  readonly variables: number;
}

/** Counts the variables that have a value of their dtype and shape in a checkpoint. Reads no values. */
export function checkpointFits(variables: Iterable<Variable>, checkpoint: Checkpoint): CheckpointFit {
  const all = [...variables];
  return { fitting: all.filter((variable) => hasValue(variable, checkpoint)).length, variables: all.length };
}

/**
 * Throws if a checkpoint belongs to another model.
 * @param needed - the variables that feed the outputs
 * @throws BnfixError `usage` when the checkpoint has a value for none of them
 */
export function refuseForeignCheckpoint(needed: Iterable<Variable>, checkpoint: Checkpoint | undefined): void {
  if (!checkpoint) return;
  const { fitting, variables } = checkpointFits(needed, checkpoint);
  if (fitting > 0 || variables === 0) return;
  const all = variables === 1 ? 'no value for its variable' : `values for 0 of its ${variables} variables`;
  throw new BnfixError('usage', `${checkpoint.name} is not a checkpoint of this graph: it has ${all}`, {
    where: checkpoint.name,
    why: `it holds ${[...checkpoint.entries.keys()].slice(0, 3).join(', ') || 'nothing'}${checkpoint.entries.size > 3 ? ', ...' : ''}`,
    fix: { option: 'checkpoint', value: 'PREFIX', text: 'names the checkpoint that was saved with this graph' },
    data: { fitting, variables },
  });
}

function hasValue({ key, slice, dtype, shape }: Variable, checkpoint: Checkpoint): boolean {
  const entry = key === undefined ? undefined : checkpoint.entries.get(key);
  if (!entry || entry.dtype !== dtype) return false;
  if (slice || !shape) return true;
  return entry.shape.length === shape.length && shape.every((size, axis) => size < 0 || size === entry.shape[axis]);
}
