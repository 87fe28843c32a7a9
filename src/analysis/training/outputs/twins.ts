import type { Node } from '../../../graph/node.js';
import type { Net } from './net.js';

/** So many pairs of nodes are compared; two nets that are alike that far are twins. */
const MAX_PAIRS = 64;

/** Whether the same ops with the same weights make two tensors of a net from other data. */
export function areTwins(net: Net, a: Node | undefined, b: Node | undefined): boolean {
  if (!net.isOfNet(a) || !net.isOfNet(b)) return false;
  let sharesWeights = false;
  const pairs: [Node, Node][] = [[a, b]];
  for (const [x, y] of pairs) {
    if (pairs.length > MAX_PAIRS) return true;
    if (x === y) sharesWeights ||= net.weights.has(x);
    if (x === y || (net.isRaw(x) && net.isRaw(y))) continue;
    const isAlike = x.op === y.op && x.inputs.length === y.inputs.length;
    if (!isAlike || (x.inputs.length === 0 && net.weights.has(x))) return false;
    const others = net.graph.inputNodes(y);
    for (const [i, input] of net.graph.inputNodes(x).entries()) pairs.push([input!, others[i]!]);
  }
  return sharesWeights;
}
