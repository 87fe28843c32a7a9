import { type Node, refText } from '../../../graph/node.js';
import { NodeSet } from '../../../graph/node_set.js';
import { anyOf, readsShape } from '../../../ops/meaning.js';
import { Shapes } from '../../values/shapes.js';
import type { Net } from './net.js';

const isLossOp = anyOf('loss');
const isMetricOp = anyOf('metric');
const isSubtract = anyOf('subtract');
const isLogarithm = anyOf('logarithm');
const scales = anyOf('multiply', 'divide');
/** So many tensors of data are examined one by one. */
const MAX_UNCLEAR = 32;

/** Data tensors that never meet a weight: labels, targets, masks of losses. What is beyond a loss does not count. */
export function findLabels(net: Net, sources: NodeSet): Set<string> {
  const { graph } = net;
  const meetingPorts = new Set<string>();
  const meeting = new NodeSet(graph);
  /** Nodes that feed a tensor of single examples, as the statistics of a batch norm do; a loss does not. */
  const returning = new NodeSet(graph);
  /** Nodes that feed a loss, a metric, or batch statistics. */
  const ending = new NodeSet(graph);
  const shapes = new Shapes(graph);
  for (const node of [...net.order].reverse()) {
    if (net.effects.has(node) || net.gradients.has(node)) continue;
    const isReduced = net.batch.isReduced(node);
    const isEnd = isReduced || isLossOp(node) || isMetricOp(node) || ending.has(node);
    if (isEnd) for (const input of graph.inputNodes(node)) ending.add(input);
    if (isLossOp(node) || isMetricOp(node) || readsShape(node)) continue;
    if (!isReduced || returning.has(node)) for (const input of graph.inputNodes(node)) returning.add(input);
    // Statistics of a batch are vectors, a loss is a scalar.
    const isStatistic = isReduced && net.bringsWeights(node) && shapes.of({ node: node.name, port: 0 })?.length !== 0;
    if (isReduced && !returning.has(node) && !isStatistic) continue;
    if (!meeting.has(node) && !net.bringsWeights(node)) continue;
    for (const input of graph.inputNodes(node)) meeting.add(input);
    for (const ref of node.inputs) if (ref.port > 0) meetingPorts.add(refText(ref));
  }
  const labels = new Set<string>();
  let unclear = MAX_UNCLEAR;
  for (const node of net.order) {
    if (!sources.has(node) || (!ending.has(node) && onlyScales(net, node))) continue;
    for (const port of graph.usedPorts(node.name)) {
      const text = refText({ node: node.name, port });
      const meets = port === 0 ? meeting.has(node) : meetingPorts.has(text);
      if (!meets || (unclear-- > 0 && isSubtracted(net, node, port))) labels.add(text);
    }
  }
  return labels;
}

/** Whether data is only a factor of tensors of the net: a temperature, a mask. */
function onlyScales(net: Net, source: Node): boolean {
  return net.graph.dataConsumers(source.name).every((node) => {
    const inputs = net.graph.inputNodes(node).filter((input) => net.net.has(input));
    return scales(node) && inputs.length > 0 && !inputs.some(isLogarithm);
  });
}

/** Whether data only meets a net that does not depend on it, and in a difference: beyond, the weights are those of a loss. */
function isSubtracted(net: Net, source: Node, port: number): boolean {
  const { graph } = net;
  const raw = new NodeSet(graph);
  const meets: Node[] = [];
  const consumers = [...graph.consumers({ node: source.name, port })];
  for (const node of consumers) {
    if (raw.has(node) || net.effects.has(node) || net.gradients.has(node) || readsShape(node)) continue;
    if (net.net.has(node)) meets.push(node);
    else if (consumers.length > MAX_UNCLEAR) return false;
    else for (const consumer of graph.dataConsumers(node.name)) consumers.push(consumer);
    raw.add(node);
  }
  if (meets.length === 0 || !meets.every((node) => isSubtract(node))) return false;
  return meets.every((node) =>
    graph.inputNodes(node).every((input) => !net.net.has(input) || !dependsOn(net, input!, source)),
  );
}

function dependsOn(net: Net, node: Node, source: Node): boolean {
  const seen = new NodeSet(net.graph, [node]);
  for (const each of seen) {
    if (each === source) return true;
    for (const input of net.graph.inputNodes(each)) if (net.fed.has(input)) seen.add(input);
  }
  return false;
}
