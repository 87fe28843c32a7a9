import type { Node } from '../../../graph/node.js';
import { anyOf } from '../../../ops/meaning.js';
import type { Net } from './net.js';

const movesOnly = anyOf(
  'identity',
  'reshape',
  'transpose',
  'slice',
  'gather',
  'tensor_array',
  'cast',
  'reverse',
  'concat',
  'pack',
);
const isExit = anyOf('exit');
const isWhile = anyOf('while');

/** The Exit or While that a tensor is a result of, if it is only moved about since. */
export function loopOf(net: Net, node: Node): Node | undefined {
  let at: Node | undefined = node;
  while (at && !net.looped.has(at)) {
    if (isExit(at) || isWhile(at)) return at;
    if (!movesOnly(at)) return undefined;
    const inputs: (Node | undefined)[] = net.graph.inputNodes(at).filter((input) => net.net.has(input));
    at = inputs.find((input) => isExit(input)) ?? inputs[0];
  }
  return undefined;
}
