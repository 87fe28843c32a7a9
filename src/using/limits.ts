import type { TensorInfo } from '../freezing/report.js';
import type { FrozenFile } from './frozen_file.js';
import type { Limit } from './step.js';

// Each returns what a program cannot use of a graph; undefined if it can use it.

/** The first of several limits that applies. */
export function firstOf(...limits: readonly (Limit | undefined)[]): Limit | undefined {
  return limits.find((limit) => limit !== undefined);
}

/** For programs that read binary graphs only. */
export function binaryOnly({ format }: FrozenFile): Limit | undefined {
  return format === 'pb' ? undefined : { code: 'text_format' };
}

/** For programs that take no graph of constants. */
export function inputsOnly({ inputs }: Pick<FrozenFile, 'inputs'>): Limit | undefined {
  return inputs.length === 0 ? { code: 'no_inputs' } : undefined;
}

/** For programs that need to know the rank of each input. */
export function ranksOnly({ inputs }: Pick<FrozenFile, 'inputs'>): Limit | undefined {
  const input = inputs.find(({ shape }) => shape === undefined);
  return input && { code: 'unknown_rank', input: input.name };
}

/** For programs that know some dtypes only. */
export function dtypesOnly(tensors: readonly TensorInfo[], dtypes: readonly string[]): Limit | undefined {
  const other = tensors.find(({ dtype }) => !dtypes.includes(dtype));
  return other && { code: 'dtype', tensor: other.name, dtype: other.dtype };
}

/** For programs that know numbers and booleans only, of any size. */
export function numbersOnly(tensors: readonly TensorInfo[]): Limit | undefined {
  const other = tensors.find(({ dtype }) => !/^(b?float|u?int)\d+$|^bool$/.test(dtype));
  return other && { code: 'dtype', tensor: other.name, dtype: other.dtype };
}

/** For programs that know nodes, not tensors. */
export function firstPortsOnly(tensors: readonly TensorInfo[]): Limit | undefined {
  const other = tensors.find(({ name }) => !name.endsWith(':0'));
  return other && { code: 'port', tensor: other.name };
}
