import { BnfixError } from '../../errors.js';
import type { GraphInput } from '../../proof/samples.js';
import type { TensorValue } from '../../run/value.js';
import type { Pixels } from './image.js';
import { type InputPaths, readInputFile } from './input_files.js';
import { inputValue } from './input_value.js';

/**
 * Reads the values of inputs.
 * @param inputs - of the graph
 * @throws BnfixError `usage` for an unknown input, or one that has to be named; `unreadable` for a file
 */
export function inputValues(
  paths: InputPaths,
  inputs: readonly GraphInput[],
  pixels: Pixels,
): Record<string, TensorValue> {
  const values: Record<string, TensorValue> = {};
  for (const [name, files] of paths) {
    const input = inputOf(name, inputs);
    values[input.name] = inputValue(files.map(readInputFile), input, pixels);
  }
  return values;
}

/** The input of a name; the only one for an empty name. @throws BnfixError `usage` for an unknown or unclear one */
export function inputOf(name: string, inputs: readonly GraphInput[]): GraphInput {
  const input = name === '' ? onlyInput(inputs) : inputs.find((each) => each.name === name);
  if (!input) throw unknownInput(name, inputs);
  return input;
}

function onlyInput(inputs: readonly GraphInput[]): GraphInput {
  const [only, ...others] = inputs;
  if (only && others.length === 0) return only;
  throw new BnfixError('usage', `--input has to name one of ${inputs.length} inputs`, {
    where: '--input',
    fix: inputs.map(({ name }) => `--input ${name}=FILE`),
  });
}

function unknownInput(name: string, inputs: readonly GraphInput[]): BnfixError {
  return new BnfixError('usage', `${name} is not an input of the graph`, {
    where: '--input',
    fix: inputs.map((each) => `--input ${each.name}=FILE`),
  });
}
