import { checkOptions } from '../check_options.js';
import { BnfixError } from '../errors.js';
import { analyse } from '../freezing/analyse.js';
import { lastNodes } from '../freezing/frozen_ends.js';
import { refuse } from '../freezing/refuse.js';
import { type TensorInfo, tensorInfos } from '../freezing/report.js';
import type { Graph } from '../graph/graph.js';
import type { Model } from '../graph/model.js';
import type { TensorRef } from '../graph/node.js';
import { ancestors } from '../graph/walk.js';
import { anyOf } from '../ops/meaning.js';

/** Options of {@link usageOf}. */
export interface UsageOptions {
  /** The tensors to compute: `a`, `b:1`. Default: the ends of the graph. */
  readonly outputs?: readonly string[];
}

/** What a program needs to know to run a frozen graph. */
export interface Usage {
  /** The placeholders that feed the outputs. */
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly UsedOutput[];
  /** The batch norms that use batch statistics: their outputs depend on the batch. */
  readonly affected: readonly string[];
}

/** A tensor to compute. */
export interface UsedOutput extends TensorInfo {
  /** The node whose value it is: the output is it, or an Identity of it, which some programs drop. */
  readonly producer: string;
}

const isPlaceholder = anyOf('placeholder');

/**
 * The inputs and outputs of a frozen graph, for {@link stepsFor}. Its outputs are its ends, since a frozen graph has nothing that
 * feeds no output.
 * @throws BnfixError `usage` for outputs that do not exist, or {@link isNotFrozen}
 */
export function usageOf(model: Model, options: UsageOptions = {}): Usage {
  checkOptions('usageOf', options, { outputs: 'strings' });
  const { graph } = model;
  if (model.kind !== 'graph_def') throw notFrozen(model, []);
  const ends = options.outputs ?? lastNodes(graph).map(({ name }) => name);
  const analysis = analyse(model, ends.length > 0 ? { outputs: ends } : {});
  const { outputs, needed, inputs, batchNorms } = analysis;
  const isWhole = outputs.refs.every(({ node }) => graph.has(node));
  if (needed.length > 0 || inputs.refs.length > 0 || !isWhole) {
    throw notFrozen(
      model,
      needed.map(({ node }) => node),
    );
  }
  if (outputs.refs.length === 0) refuse(analysis);
  const { refs } = outputs;
  const affected = batchNorms.filter(({ status: { kind } }) => kind !== 'inference' && kind !== 'per_example');
  return {
    inputs: tensorInfos(graph, placeholdersOf(graph, refs)),
    outputs: tensorInfos(graph, refs).map((info, i) => ({ ...info, producer: producerOf(graph, refs[i]!) })),
    affected: affected.map(({ name }) => name),
  };
}

/** The error for a model that has to be frozen before it can be used. @param variables - that its outputs depend on */
export function notFrozen({ name }: Model, variables: readonly string[]): BnfixError {
  return new BnfixError('usage', `${name} is not a frozen graph`, {
    where: name,
    why: variables.length > 0 ? `its outputs depend on variables, such as ${variables[0]}` : undefined,
    data: { variables },
  });
}

/** Whether {@link usageOf} refused a graph since it is not frozen. */
export function isNotFrozen(error: unknown): error is BnfixError {
  return error instanceof BnfixError && error.data?.variables !== undefined;
}

function placeholdersOf(graph: Graph, outputs: readonly TensorRef[]): TensorRef[] {
  const feeding = ancestors(
    graph,
    outputs.map(({ node }) => node),
  );
  const nodes = [...graph.nodes()].filter((node) => isPlaceholder(node) && feeding.has(node));
  return nodes.map(({ name }) => ({ node: name, port: 0 }));
}

/** The node that computes a tensor, behind all Identities. */
export function producerOf(graph: Graph, { node: name }: TensorRef): string {
  let node = graph.get(name);
  for (let input = node.inputs[0]; node.op === 'Identity' && input?.port === 0; input = node.inputs[0]) {
    node = graph.get(input.node);
  }
  return isPlaceholder(node) || node.op === 'Const' ? name : node.name;
}
