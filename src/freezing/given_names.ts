import { didYouMean, nearNames } from '../did_you_mean.js';
import { BnfixError } from '../errors.js';
import type { Graph } from '../graph/graph.js';
import { parseTensorName, refText, sameRef, type TensorRef } from '../graph/node.js';
import { anyOf } from '../ops/meaning.js';
import type { OutputName } from '../passes/pass.js';
import type { FreezeOptions } from './options.js';
import { listed } from './text.js';

const OPTION = 'outputNames';
const isPlaceholder = anyOf('placeholder');

/** What every version of TensorFlow takes as the name of an op; parts between slashes are scopes. */
const NAME = /^[A-Za-z0-9.][\w.-]*(\/[\w.-]+)*$/;

/**
 * The names that outputs get, as the user gave them.
 * @throws BnfixError `usage` for what is no output, no name, or a name that an input or another output has
 */
export function givenNames(
  graph: Graph,
  outputs: readonly TensorRef[],
  { outputNames = {} }: Pick<FreezeOptions, 'outputNames'>,
): OutputName[] {
  const names = Object.entries(outputNames).map(([of, name]) => ({ tensor: outputOf(outputs, of), name }));
  for (const { tensor, name } of names) {
    if (typeof name !== 'string' || !NAME.test(name)) throw notAName(tensor, String(name));
    const others = names.filter((each) => sameRef(each.tensor, tensor));
    if (others.length > 1) throw taken(`${refText(tensor)} gets ${others.length} names`, tensor, 'give one');
    const rival = names.find((each) => each.name === name && each.tensor !== tensor);
    if (rival) throw taken(`${refText(tensor)} and ${refText(rival.tensor)} get the name ${name}`, tensor);
    const node = graph.find(name);
    const keepsIt = outputs.some((ref) => ref.node === name && !names.some((each) => sameRef(each.tensor, ref)));
    if (keepsIt && !(tensor.node === name && tensor.port === 0)) throw taken(`another output is named ${name}`, tensor);
    if (node && isPlaceholder(node)) throw taken(`an input is named ${name}`, tensor);
  }
  return names.filter(({ tensor, name }) => refText(tensor) !== name);
}

function outputOf(outputs: readonly TensorRef[], name: string): TensorRef {
  const wanted = parseTensorName(name);
  const found = outputs.find((ref) => sameRef(ref, wanted));
  if (found) return found;
  const known = outputs.map(refText);
  const near = nearNames(name, known);
  throw new BnfixError('usage', `${name} is not an output of the result`, {
    option: OPTION,
    why: `its outputs are ${listed(known, 10)}`,
    fix: didYouMean(name, known),
    candidates: near.length > 0 ? near : known.slice(0, 10),
  });
}

function notAName(tensor: TensorRef, name: string): BnfixError {
  const proposed = name
    .replace(/:\d+$/, '')
    .replaceAll(/[^\w./-]+/g, '_')
    .replaceAll(/\/+/g, '/')
    .replace(/^[^A-Za-z0-9.]+|\/$/g, '');
  return new BnfixError('usage', `${name} is not a name of an op`, {
    option: OPTION,
    why: 'TensorFlow takes letters, digits and _ . - /, and a letter, a digit or a dot first',
    fix: proposed === '' ? undefined : { option: OPTION, value: `${refText(tensor)}=${proposed}` },
  });
}

function taken(headline: string, tensor: TensorRef, fix = 'give another name'): BnfixError {
  return new BnfixError('usage', headline, { option: OPTION, where: refText(tensor), fix });
}
