import { didYouMean } from '../did_you_mean.js';
import { BnfixError } from '../errors.js';
import { attrShape, attrType } from '../graph/attrs.js';
import { type DataType, dtypeName } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import { parseInput, type TensorRef } from '../graph/node.js';
import { outputCount, outputType } from '../ops/registry.js';
import type { Feed } from './prepare.js';
import { fitsShape, type TensorValue } from './value.js';

/**
 * The tensor that a name (`name`, `name:0`) means.
 * @throws BnfixError `usage` when the graph has none of this name
 */
export function tensorRef(graph: Graph, name: string): TensorRef {
  const { node, port } = parseInput(name);
  const found = graph.find(node);
  const count = (found && outputCount(found)) ?? Number.POSITIVE_INFINITY;
  if (port !== undefined && found && port < count) return { node, port };
  const names = () => [...graph.nodes()].map((other) => other.name);
  throw new BnfixError('usage', `tensor ${name} not found in the graph`, {
    where: name,
    fix: found ? undefined : didYouMean(node, names()),
  });
}

/** The dtype of a tensor; undefined if the graph does not say it. */
export function typeOf(graph: Graph, ref: TensorRef): DataType | undefined {
  const node = graph.get(ref.node);
  return outputType(node, ref.port) ?? attrType(node, 'T');
}

/** A tensor that is to be fed. @throws BnfixError `usage` for an unknown one */
export function feedOf(graph: Graph, name: string): Feed {
  const ref = tensorRef(graph, name);
  return { name, ref, dtype: typeOf(graph, ref) };
}

/**
 * Checks that a value fits the tensor that it is fed to.
 * @throws BnfixError `usage` when its dtype or shape is another one
 */
export function checkFeed(graph: Graph, { name, ref, dtype }: Feed, value: TensorValue): void {
  if (dtype === undefined || dtypeName(dtype) !== value.dtype) {
    const declared = dtype === undefined ? 'of unknown dtype' : dtypeName(dtype);
    throw new BnfixError('usage', `${name} is ${declared}, but its value is ${value.dtype}`, { where: name });
  }
  const node = graph.get(ref.node);
  const shape = attrShape(node, 'shape');
  // Before TensorFlow 1.0, [] meant a placeholder of any shape.
  if (node.op.startsWith('Placeholder') && shape && shape.length > 0 && !fitsShape(value.shape, shape)) {
    const text = shape.map((size) => (size < 0 ? '?' : size)).join(',');
    throw new BnfixError('usage', `${name} is [${text}], but its value is [${value.shape.join(',')}]`, { where: name });
  }
}
