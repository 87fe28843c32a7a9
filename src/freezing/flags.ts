import type { Updates } from '../analysis/state/moving_averages.js';
import type { Variables } from '../analysis/state/variables.js';
import type { Flag, VariableRead } from '../analysis/training/flags.js';
import { findFlags } from '../analysis/training/flags.js';
import { Shapes } from '../analysis/values/shapes.js';
import { nearNames } from '../did_you_mean.js';
import { BnfixError } from '../errors.js';
import { attrType } from '../graph/attrs.js';
import { DataType, dtypeName } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import { type Node, parseTensorName, type TensorRef } from '../graph/node.js';
import { anyOf } from '../ops/meaning.js';
import { outputType } from '../ops/registry.js';
import type { FreezeOptions } from './options.js';

/**
 * The flags that the user sets, and those that are detected.
 * @throws BnfixError `usage` when a flag that the user sets does not exist
 */
export function resolveFlags(
  graph: Graph,
  outputs: readonly TensorRef[],
  { set = {} }: FreezeOptions,
  isKept: (name: string) => boolean,
  read: VariableRead,
): Flag[] {
  const given = Object.entries(set).map(([name, value]) => givenFlag(graph, name, value));
  refusePinnedOutput(graph, given, outputs);
  const pins = new Map(given.map(({ node, value }) => [node, value]));
  const found = findFlags(graph, new Shapes(graph), outputs, pins, read);
  return [...given, ...found.filter(({ node }) => !isKept(node))];
}

/** @throws BnfixError `usage` for an output that the net computes: pinned, it would be a constant */
function refusePinnedOutput(graph: Graph, given: readonly Flag[], outputs: readonly TensorRef[]): void {
  const isComputed = (node: string) => (graph.find(node)?.inputs.length ?? 0) > 0;
  const output = given.find(({ node }) => isComputed(node) && outputs.some((ref) => ref.node === node));
  if (!output) return;
  throw new BnfixError('usage', `${output.node} is an output of the graph: it would become a constant`, {
    option: 'set',
    fix: 'name a flag, a keep_prob or another placeholder',
  });
}

const isPlaceholder = anyOf('placeholder');

function givenFlag(graph: Graph, name: string, value: boolean | number): Flag {
  const { node } = parseTensorName(name);
  const found = graph.find(node);
  if (found) {
    refuseOtherType(found, value);
    refuseSeveralOutputs(graph, found);
    return { node, value: Number(value), reason: { code: 'given' } };
  }
  const placeholders = [...graph.nodes()].filter((other) => isPlaceholder(other));
  const near = nearNames(
    node,
    placeholders.map((other) => other.name),
  );
  const scalars = near.length > 0 ? [] : scalarsOf(graph, placeholders);
  throw new BnfixError('usage', `no placeholder named ${name}`, {
    option: 'set',
    why:
      near.length > 0 || scalars.length > 0
        ? undefined
        : 'this graph has no scalar placeholder: neither a flag nor a keep_prob has to be set',
    fix:
      near.length > 0
        ? near.map((each) => ({ option: 'set', value: `${each}=${value}` }))
        : scalars.length > 0
          ? `scalar placeholders of this graph: ${scalars.slice(0, 10).join(', ')}`
          : undefined,
    candidates: near.length > 0 ? near : scalars,
  });
}

/** Placeholders that may be flags or rates: scalars, or of unknown shape, that are not text. */
function scalarsOf(graph: Graph, placeholders: readonly Node[]): string[] {
  const shapes = new Shapes(graph);
  return placeholders.flatMap((node) => {
    const shape = shapes.of({ node: node.name, port: 0 });
    const isText = attrType(node, 'dtype') === DataType.DT_STRING;
    return isText || (shape && shape.length > 0) ? [] : [node.name];
  });
}

/** @throws BnfixError `usage` for an op of which other outputs are read as well: pinned, it has only one */
function refuseSeveralOutputs(graph: Graph, node: Node): void {
  if (graph.usedPorts(node.name).every((port) => port === 0)) return;
  throw new BnfixError('usage', `${node.name} is a ${node.op} with several outputs: one value cannot replace it`, {
    option: 'set',
    fix: 'name a flag, a keep_prob or another placeholder',
  });
}

/** @throws BnfixError `usage` for a number that the dtype of a node cannot hold: 0.5 for a bool */
function refuseOtherType(node: Node, value: boolean | number): void {
  const dtype = outputType(node, 0) ?? attrType(node, 'dtype');
  if (dtype === undefined) return;
  const isBool = dtype === DataType.DT_BOOL;
  const fits = isBool
    ? Number(value) === 0 || Number(value) === 1
    : !isInteger(dtype) || Number.isInteger(Number(value));
  if (fits) return;
  throw new BnfixError('usage', `${node.name} is ${isBool ? 'a bool' : dtypeName(dtype)} and cannot be ${value}`, {
    option: 'set',
    fix: isBool
      ? [
          { option: 'set', value: `${node.name}=false` },
          { option: 'set', value: `${node.name}=true` },
        ]
      : { option: 'set', value: `${node.name}=${Math.trunc(Number(value))}` },
  });
}

function isInteger(dtype: DataType): boolean {
  return /^u?int\d+$/.test(dtypeName(dtype));
}

/**
 * Tests for reads of variables, of variables that some op updates with data, and of frozen variables.
 * @param updates - computed on first use
 */
export function variableReads(variables: Variables, updates: () => Updates): VariableRead {
  return (name) => {
    const variable = variables.valueAt({ node: name, port: 0 });
    if (!variable) return undefined;
    if (variable.value) return 'frozen';
    return updates().updated.has(variable.node) ? 'updated' : 'other';
  };
}
