import { BnfixError, type Fix } from '../../errors.js';
import { dtypeName } from '../../graph/dtype.js';
import type { Checkpoint } from '../../graph/model.js';
import type { Tensor } from '../../graph/tensor.js';
import type { Variable } from './variables.js';

/** Why a variable has no usable value, as text. */
export interface MissingValue {
  /** The headline. */
  readonly message: string;
  /** The variable, the checkpoint, or the key in it. */
  readonly where: string | undefined;
  /** Details, if any. */
  readonly why: string | undefined;
  /** Possible fixes, the best first. */
  readonly fixes: readonly Fix[];
}

/**
 * A handle on the value of a variable, in the checkpoint or in the frozen graph itself; nothing is read yet.
 * @throws BnfixError `statistics` when it is missing, or does not have the variable's dtype and shape.
 */
export function variableValue(variable: Variable, checkpoint: Checkpoint | undefined): Tensor {
  const { node, key, value } = variable;
  if (value) return value;
  if (!checkpoint) {
    throw new BnfixError('statistics', `the value of ${node} is needed, but no checkpoint was found`, {
      where: node,
      fix: { option: 'checkpoint', value: 'PREFIX', text: 'names it: the path without .index and .data-...' },
    });
  }
  if (key === undefined) {
    throw new BnfixError('statistics', `the checkpoint has no value for the variable ${node}`, {
      where: `${node}, ${checkpoint.name}`,
      why: 'neither the restore ops of the graph nor its name match a key of this checkpoint',
      fix: [
        { option: 'checkpoint', value: 'PREFIX', text: 'names the checkpoint that was saved with this graph' },
        { option: 'outputs', value: 'NAMES', text: 'chooses outputs that do not depend on it' },
      ],
    });
  }
  const tensor = variable.slice ? checkpoint.slice(key, variable.slice) : checkpoint.tensor(key);
  const { dtype, row } = variable;
  const shape = row ? row.of : variable.shape;
  if (tensor.dtype !== dtype) {
    throw misfit(
      variable,
      checkpoint,
      `${dtypeName(tensor.dtype)} in the checkpoint, ${dtypeName(dtype)} in the graph`,
    );
  }
  if (shape && !fits(tensor.shape, shape)) {
    throw misfit(variable, checkpoint, `shape [${tensor.shape}] in the checkpoint, [${shape}] in the graph`);
  }
  return row?.index === undefined || variable.slice ? tensor : rowOf(checkpoint, key, tensor.shape, row.index);
}

function rowOf(checkpoint: Checkpoint, key: string, [rows, ...others]: readonly number[], index: number): Tensor {
  const whole = others.map((length) => ({ start: 0, length }));
  return index < rows! ? checkpoint.slice(key, [{ start: index, length: 1 }, ...whole]) : checkpoint.tensor(key);
}

/**
 * An error of {@link variableValue} as data.
 * @throws any other error
 */
export function missingValue(error: unknown): MissingValue {
  if (!(error instanceof BnfixError) || error.code !== 'statistics') throw error;
  const { message, where, why, fixes } = error;
  return { message, where, why, fixes };
}

function fits(actual: readonly number[], wanted: readonly number[]): boolean {
  return actual.length === wanted.length && wanted.every((size, axis) => size < 0 || size === actual[axis]);
}

function misfit(variable: Variable, checkpoint: Checkpoint, why: string): BnfixError {
  return new BnfixError('statistics', `the checkpoint does not belong to this graph: ${variable.node} differs`, {
    where: `${variable.key} in ${checkpoint.name}`,
    why,
    fix: { option: 'checkpoint', value: 'PREFIX', text: 'names the checkpoint that was saved with this graph' },
  });
}
