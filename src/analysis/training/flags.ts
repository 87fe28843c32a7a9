import { attrType } from '../../graph/attrs.js';
import { DataType } from '../../graph/dtype.js';
import type { Graph } from '../../graph/graph.js';
import { type Node, refText, type TensorRef } from '../../graph/node.js';
import type { NodeSet } from '../../graph/node_set.js';
import { sourceOf, topologicalOrder } from '../../graph/walk.js';
import { anyOf, hasRole, isIdentity, isSelect, isSwitch } from '../../ops/meaning.js';
import { outputTypes } from '../../ops/registry.js';
import { isStepCounter } from '../state/assignments.js';
import { CONVERGED_STEP } from '../state/steady_state.js';
import { isVariable } from '../state/variables.js';
import { constantScalar, type Pins } from '../values/constants.js';
import type { Shapes } from '../values/shapes.js';
import { ValueNumbering } from '../values/value_numbering.js';
import { isBatchReduction, isTrainingFused } from './batch_statistics.js';
import { Branches } from './branches.js';

/** A flag that switches between training and inference, and its value at inference. */
export interface Flag {
  /** The placeholder or variable, or the op that makes a condition of it. */
  readonly node: string;
  readonly value: number;
  /** What tells that this value is inference. */
  readonly why: string;
  /** Whether the user has said so. */
  readonly given: boolean;
}

const isFed = anyOf('placeholder');
/** What conditions are made with. */
const isLogic = anyOf('identity', 'switch', 'enter', 'cast', 'reshape', 'read', 'logic', 'comparison', 'slice');

/**
 * Finds the flags that switch training on and off, by what they switch: the value for which fewer batch statistics and
 * random ops are on the way to the outputs is inference. A flag that makes no such difference is the model's own.
 *
 * @param given values that the user has pinned already
 * @param read tells reads of variables
 */
export function findFlags(
  graph: Graph,
  shapes: Shapes,
  outputs: readonly TensorRef[],
  given: Pins,
  read: VariableRead,
): Flag[] {
  const order = topologicalOrder(graph);
  const live = new Branches(graph, given, order).needed(outputs);
  const conditions = conditionsOf(graph, live);
  if (conditions.length === 0) return [];
  const training = trainingNodes(graph, shapes);
  const pins = new Map(given);
  const flags: Flag[] = [];
  const roots = rootsOf(graph, conditions);
  /** Which value of a flag is inference, as far as it can be told with those pins; of several nodes that make it, all. */
  const judge = (nodes: readonly string[], context: Pins) => {
    const needed = [0, 1].map((value) => {
      const pinned = nodes.map((node) => [node, value] as const);
      return new Branches(graph, new Map([...context, ...pinned]), order).needed(outputs);
    });
    const [off, on] = needed.map((nodes) => training.filter((node) => nodes.has(node)).length) as [number, number];
    if (off === on) return undefined;
    const value = off < on ? 0 : 1;
    const [inference, trained] = [needed[value]!, needed[1 - value]!];
    const alone = [...inference].filter((each) => !trained.has(each));
    const vanishing = training.filter((each) => trained.has(each) && !inference.has(each));
    return { value, gain: Math.abs(on - off), sure: standsInForTraining(alone, vanishing, read) };
  };
  const decide = (nodes: readonly string[]) => {
    const plain = judge(nodes, pins);
    if (!plain) return;
    // Another flag may hide what stands in for training: it is tried both ways.
    const others = plain.sure
      ? []
      : roots.filter((root) => !nodes.includes(root) && !pins.has(root)).slice(0, MAX_OTHERS);
    const contexts = others.flatMap((other) => [0, 1].map((value) => new Map([...pins, [other, value]])));
    const sure =
      plain.sure ||
      contexts.some((context) => {
        const judged = judge(nodes, context);
        return judged?.sure && judged.value === plain.value;
      });
    if (!sure) return;
    const { value, gain } = plain;
    const why = `${gain} training ops are on the way to the outputs only when it is ${value ? 'off' : 'on'}`;
    for (const node of nodes) {
      pins.set(node, value);
      flags.push({ node, value, given: false, why });
    }
  };
  for (const counter of roots.filter((name) => isStepCounter(graph, graph.get(name)))) {
    const quantised = [0, CONVERGED_STEP].map((value) => {
      const needed = new Branches(graph, new Map([...pins, [counter, value]]), order).needed(outputs);
      return [...needed].filter(({ op }) => op.startsWith('FakeQuant')).length;
    });
    if (quantised[0] === quantised[1]) continue;
    const value = quantised[0]! > quantised[1]! ? 0 : CONVERGED_STEP;
    pins.set(counter, value);
    flags.push({
      node: counter,
      value,
      given: false,
      why: 'it delays fake quantisation, which is active at inference',
    });
  }
  for (const root of roots) if (!pins.has(root)) decide([root]);
  // Conditions that no single placeholder explains: a comparison of strings, a computed mode. Each layer may compute it anew.
  const modes = new Map<number, Set<string>>();
  const numbering = new ValueNumbering(graph);
  for (const condition of conditions) {
    if (constantScalar(graph, condition, pins) !== undefined || !isMode(graph, condition)) continue;
    const source = sourceOf(graph, condition, isIdentity);
    const mode = numbering.valueNumber(source);
    modes.set(mode, (modes.get(mode) ?? new Set()).add(source.node));
  }
  for (const nodes of modes.values()) {
    const open = [...nodes].filter((node) => constantScalar(graph, { node, port: 0 }, pins) === undefined);
    if (open.length > 0) decide(open);
  }
  return flags;
}

/** Flags are few: more than this are no flags of one batch norm. */
const MAX_OTHERS = 6;

/** Random ops of dropout and data augmentation. What draws an answer (a Multinomial) belongs to the model. */
const isNoise = anyOf('uniform', 'symmetric', 'uniform_int');
const bringsWeights = anyOf('weighted', 'gather', 'gather_variable');

/** Whether a node hands on the value of a variable, and whether that is one that some op updates with data. */
export type VariableRead = (name: string) => 'updated' | 'other' | undefined;

/**
 * Whether what is needed at inference alone stands in for training: for statistics of the batch, it reads what training
 * keeps; for noise, a mere bypass is enough. Another part of the net is a choice that belongs to the model.
 */
function standsInForTraining(alone: readonly Node[], vanishing: readonly Node[], read: VariableRead): boolean {
  const reads = alone.map(({ name }) => read(name));
  if (reads.includes('updated')) return true;
  if (alone.some(bringsWeights)) return false;
  return reads.includes('other') || vanishing.every(isNoise);
}

/** The tensors that decide a Switch or a Select, each once. Conditions of loops are none. */
function conditionsOf(graph: Graph, live: NodeSet): TensorRef[] {
  const found = new Map<string, TensorRef>();
  for (const node of live) {
    const condition = isSwitch(node) ? node.inputs[1] : isSelect(node) ? node.inputs[0] : undefined;
    if (!condition) continue;
    const source = sourceOf(graph, condition, passesCondition);
    if (graph.find(source.node)?.op !== 'LoopCond') found.set(refText(source), source);
  }
  return [...found.values()];
}

/** Whether a condition is made of single placeholders, variables and constants alone: not of data, not of noise. */
function isMode(graph: Graph, condition: TensorRef): boolean {
  const seen = new Set([condition.node]);
  for (const name of seen) {
    const node = graph.find(name);
    if (!node || seen.size > 100) return false;
    if (isFed(node) || isVariable(node)) {
      if ((node.attr.shape?.shape?.dim ?? []).some((dim) => Number(dim.size) !== 1)) return false;
    } else if (node.op !== 'Const' && !isLogic(node)) return false;
    for (const ref of node.inputs) seen.add(ref.node);
  }
  return true;
}

const passesCondition = anyOf('identity', 'switch', 'enter', 'cast', 'reshape');

/** Placeholders and variables that conditions are made of by logic and comparisons, in file order. */
function rootsOf(graph: Graph, conditions: readonly TensorRef[]): string[] {
  const roots = new Set<string>();
  for (const condition of conditions) {
    const stack = [condition.node];
    const seen = new Set(stack);
    for (let name = stack.pop(); name !== undefined && seen.size < 100; name = stack.pop()) {
      const node = graph.find(name);
      if (!node) continue;
      const root = isFed(node) || isVariable(node) || hasRole(node, 'assign_add');
      if (root && isScalarNumber(node)) roots.add(name);
      else if (isLogic(node)) {
        const inputs = isSwitch(node) ? node.inputs.slice(0, 1) : node.inputs;
        for (const ref of inputs) {
          if (seen.has(ref.node)) continue;
          seen.add(ref.node);
          stack.push(ref.node);
        }
      }
    }
  }
  return [...graph.nodes()].filter((node) => roots.has(node.name)).map((node) => node.name);
}

const NUMBERS: ReadonlySet<DataType> = new Set([
  DataType.DT_BOOL,
  DataType.DT_INT32,
  DataType.DT_INT64,
  DataType.DT_UINT8,
  DataType.DT_FLOAT,
]);

function isScalarNumber(node: Node): boolean {
  const type = isVariable(node) ? attrType(node, 'dtype') : outputTypes(node)?.[0];
  const dims = node.attr.shape?.shape?.dim ?? [];
  return type !== undefined && NUMBERS.has(type) && dims.every((dim) => Number(dim.size) === 1);
}

/** Nodes that only training needs: statistics over the batch dimension, and noise. */
function trainingNodes(graph: Graph, shapes: Shapes): Node[] {
  return [...graph.nodes()].filter(
    (node) => isTrainingFused(node) || isBatchReduction(graph, shapes, node) || isNoise(node),
  );
}
