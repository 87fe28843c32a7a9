import { attrBool, attrInts } from '../../graph/attrs.js';
import type { Graph } from '../../graph/graph.js';
import { type Node, refText, type TensorRef } from '../../graph/node.js';
import { NodeSet } from '../../graph/node_set.js';
import { sourceOf, spread } from '../../graph/walk.js';
import { hasRole, isIdentity, scalarOf } from '../../ops/meaning.js';
import type { Variable } from '../state/variables.js';
import { constantInts } from '../values/constants.js';
import type { Shape, Shapes } from '../values/shapes.js';
import { isActivationSource, mayBeActivation } from './activations.js';

/** A tensor that is replaced at inference, by a variable or a constant. */
export interface Replacement {
  readonly tensor: TensorRef;
  readonly by: Substitute;
  /**
   * The kind of tensor: an averaged batch statistic, the new value of an assignment, a correction of batch renormalisation, or a
   * statistics input of a fused batch norm.
   */
  readonly role: 'statistic' | 'assignment' | 'correction' | 'input';
}

/** The replacement of a tensor. */
export type Substitute =
  /** The variable, reshaped to `shape` if given (-1 for one unknown size). */
  | { readonly variable: Variable; readonly shape: readonly number[] | undefined }
  /** A constant of that shape that holds `value` everywhere. */
  | { readonly value: number; readonly shape: readonly number[] };

/** Finds the replacement of an input of a node; undefined if it stays. */
export type Replacing = (input: TensorRef, node: Node, index: number) => Replacement | undefined;

/** A graph in its inference state: what feeds the outputs once tensors are replaced. */
export class InferenceView {
  /** The nodes that feed an output, including variables that replace a tensor. */
  readonly live: NodeSet;
  /** The replaced tensors, in the order of a walk from the outputs. */
  readonly used: ReadonlyMap<string, Replacement>;
  readonly #graph: Graph;
  readonly #bypassed: ReadonlyMap<string, TensorRef>;
  /** The replaced inputs, by node. */
  readonly #cut = new Map<string, Set<number>>();
  #activations: NodeSet | undefined;

  /**
   * Walks a graph backwards from its outputs and stops at replaced tensors. Ignores control edges.
   * @param bypassed - nodes whose output is another tensor at inference: dropouts
   */
  constructor(
    graph: Graph,
    outputs: readonly TensorRef[],
    replacing: Replacing,
    bypassed: ReadonlyMap<string, TensorRef> = new Map(),
  ) {
    const live = new NodeSet(graph);
    const used = new Map<string, Replacement>();
    for (const { node } of outputs) live.add(graph.find(node));
    for (const node of live) {
      const only = bypassed.size > 0 ? bypassed.get(node.name) : undefined;
      const producers = only ? [graph.find(only.node)] : graph.inputNodes(node);
      for (const [index, input] of (only ? [only] : node.inputs).entries()) {
        const replacement = replacing(input, node, index);
        if (!replacement) {
          live.add(producers[index]);
          continue;
        }
        if (replacement.role !== 'input') used.set(refText(input), replacement);
        const cut = this.#cut.get(node.name);
        if (cut) cut.add(index);
        else this.#cut.set(node.name, new Set([index]));
        if ('variable' in replacement.by) live.add(graph.find(nodeOf(replacement.by.variable)));
      }
    }
    this.#graph = graph;
    this.#bypassed = bypassed;
    this.live = live;
    this.used = used;
  }

  /** The live nodes whose value depends on the net's inputs or on random ops. */
  get activations(): NodeSet {
    this.#activations ??= spread(this.#graph, (node, reached) => {
      if (!this.live.has(node) || !mayBeActivation(node)) return false;
      if (isActivationSource(node)) return true;
      const cut = this.#cut.get(node.name);
      const only = this.#bypassed.get(node.name);
      const inputs = only ? [this.#graph.find(only.node)] : this.#graph.inputNodes(node);
      return inputs.some((input, i) => reached.has(input) && !cut?.has(i));
    });
    return this.#activations;
  }
}

/** The node that reads a variable's row, or the variable. */
function nodeOf({ row, node }: Variable): string {
  return row ? row.read.node : node;
}

const UNKNOWN_SIZE = -1;

/**
 * The shape in which a variable replaces a tensor with the statistic it averages: `same` for its
 * own shape, `unknown` if it cannot be determined.
 */
export function shapeInPlaceOf(
  graph: Graph,
  shapes: Shapes,
  tensor: TensorRef,
  variable: Variable,
): 'same' | 'unknown' | readonly number[] {
  const own = variable.shape;
  const wanted = deducedShape(graph, shapes, tensor, variable);
  if (!own || !wanted) return own && !wanted ? 'unknown' : 'same';
  // A vector of the same rank may lie along another axis.
  const isSame =
    own.length === wanted.length && own.every((size, axis) => [size, UNKNOWN_SIZE].includes(wanted[axis]!));
  if (isSame) return 'same';
  const channels = own.reduce((product, size) => product * size, 1);
  if (channels === 1) return wanted.map(() => 1);
  const exact = wanted.flatMap((size, axis) => (size === channels ? [axis] : []));
  const open = wanted.flatMap((size, axis) => (size === 1 ? [] : [axis]));
  const at = exact.length === 1 ? exact[0] : open.length === 1 ? open[0] : undefined;
  return at === undefined ? 'unknown' : wanted.map((_, axis) => (axis === at ? channels : 1));
}

/** A longer expression than this reveals nothing. */
const MAX_EXPRESSION = 200;

/** The shape of a statistic. If an activation's rank is unknown, a reduction to one channel axis determines it. */
function deducedShape(graph: Graph, shapes: Shapes, tensor: TensorRef, variable: Variable): Shape {
  const known = new Map<string, Shape>();
  const shapeOf = (ref: TensorRef): Shape => {
    const key = refText(ref);
    if (known.has(key) || known.size > MAX_EXPRESSION) return known.get(key);
    // A cycle reveals nothing.
    known.set(key, undefined);
    const shape = shapes.of(ref) ?? fromInputs(ref);
    known.set(key, shape);
    return shape;
  };
  const fromInputs = (ref: TensorRef): Shape => {
    const node = graph.get(sourceOf(graph, ref, isIdentity).node);
    if (scalarOf(node.op)) {
      const parts = node.inputs.map(shapeOf);
      if (parts.length === 0 || parts.includes(undefined)) return undefined;
      return parts.reduce((longest, part) => (part!.length > longest!.length ? part : longest));
    }
    if (node.op === 'Squeeze') return attrInts(node, 'squeeze_dims')?.length ? [UNKNOWN_SIZE] : undefined;
    return hasRole(node, 'average') ? reducedShape(graph, node, variable) : undefined;
  };
  return shapeOf(tensor);
}

function reducedShape(graph: Graph, node: Node, variable: Variable): Shape {
  const axes = constantInts(graph, node.inputs[1]);
  if (!axes || axes.some((axis) => axis < 0)) return undefined;
  if (!attrBool(node, 'keep_dims')) return [UNKNOWN_SIZE];
  if (variable.shape && variable.shape.length > 1) return variable.shape;
  return Array.from({ length: axes.length + 1 }, (_, axis) => (axes.includes(axis) ? 1 : UNKNOWN_SIZE));
}
