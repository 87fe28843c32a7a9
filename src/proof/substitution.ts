import { findActivations } from '../analysis/training/activations.js';
import { isTrainingFused } from '../analysis/training/batch_statistics.js';
import type { Graph } from '../graph/graph.js';
import { type Node, sameRef, type TensorRef, tensorName } from '../graph/node.js';
import { NodeSet } from '../graph/node_set.js';
import { numberTensor, type Tensor } from '../graph/tensor.js';
import { ancestors, descendants, sourceOf } from '../graph/walk.js';
import { anyOf, isGlobalBatchNorm, isIdentity, readsShape, scalarOf } from '../ops/meaning.js';
import { dtypeOf, numbersOf, type TensorValue, type TensorValues } from '../run/value.js';
import { addMoments } from './moments.js';
import { addConstant } from './stored.js';

/** An input of a node that a repair changed from a tensor that depends on the batch to a constant, or bypassed. */
export interface Substitution {
  /** The node of the repaired graph. */
  readonly node: string;
  readonly index: number;
  /** The tensor of the saved graph that it reads there, or that was added to it: the moments of a fused batch norm. */
  readonly tensor: TensorRef;
  readonly isAdded: boolean;
  /** Ops of the saved graph between `tensor` and what the node reads now, the last first: empty for a constant. */
  readonly bypassed: readonly Node[];
}

const isFused = anyOf('fused_batch_norm');

/** Compares two graphs edge by edge: nothing of how the repaired one was made is used. */
export class Substitutions {
  readonly found: readonly Substitution[];
  /** Tensors of the saved graph whose values are needed. */
  readonly tensors: readonly TensorRef[];
  readonly #repaired: Graph;
  readonly #fed: NodeSet;

  /**
   * @param saved - moments of fused batch norms that left training mode are added to it
   * @param statistics - what else is replaced: a variable of the saved graph that holds the last batch
   */
  constructor(saved: Graph, repaired: Graph, outputs: readonly TensorRef[], statistics: readonly TensorRef[]) {
    this.#repaired = repaired;
    this.#fed = findActivations(repaired);
    const names = statistics.map(({ node }) => node);
    const averaged = [...descendants(saved, names, (node) => !readsShape(node))].filter((node) => !readsShape(node));
    const depending = new NodeSet(saved, [...findActivations(saved), ...averaged]);
    const feeding = ancestors(
      repaired,
      outputs.map(({ node }) => node),
      false,
    );
    const found: Substitution[] = [];
    for (const node of repaired.nodes()) {
      const original = feeding.has(node) && this.#fed.has(node) ? counterpart(saved, node) : undefined;
      if (!original) continue;
      const at = { node: node.name, isAdded: false, bypassed: [] };
      if (isTrainingFused(original) && isFused(node) && !isTrainingFused(node)) {
        const moments = addMoments(saved, original);
        found.push(...moments.map((tensor, i) => ({ ...at, index: 3 + i, tensor, isAdded: true })));
      }
      for (const [index, ref] of node.inputs.entries()) {
        const tensor = original.inputs[placeOf(index, node, original)];
        if (!tensor || !depending.hasNamed(tensor.node)) continue;
        if (!this.#fed.hasNamed(ref.node)) found.push({ ...at, index, tensor });
        else {
          const bypassed = this.#bypassed(saved, tensor, ref);
          if (bypassed.length > 0) found.push({ ...at, index, tensor, bypassed });
        }
      }
    }
    this.found = found;
    this.tensors = found.flatMap((each) => this.#needed(each));
  }

  /** A copy of the repaired graph that computes with the values of the saved one. */
  applied(values: TensorValues): Graph {
    const graph = this.#repaired.copy();
    const constants = new Map<string, TensorRef>();
    const constant = (ref: TensorRef): TensorRef => {
      const key = tensorName(ref);
      let known = constants.get(key);
      if (!known) {
        known = addConstant(graph, ref.node, tensorOf(values[key]!));
        constants.set(key, known);
      }
      return known;
    };
    for (const { node, index, tensor, bypassed } of this.found) {
      for (const { name, op, inputs, attr: attrs } of [...bypassed].reverse()) {
        if (graph.has(name)) continue;
        const restored = inputs.map((ref) => (this.#isKept(ref) || isIn(bypassed, ref) ? ref : constant(ref)));
        graph.add({ name, op, inputs: restored, attr: attrs });
      }
      graph.setInput(graph.get(node), index, bypassed.length > 0 ? tensor : constant(tensor));
    }
    return graph;
  }

  /** Tensors of which the repaired graph needs values. */
  #needed({ tensor, bypassed }: Substitution): TensorRef[] {
    if (bypassed.length === 0) return [tensor];
    return bypassed.flatMap(({ inputs }) => inputs.filter((ref) => !this.#isKept(ref) && !isIn(bypassed, ref)));
  }

  #isKept(ref: TensorRef): boolean {
    return this.#fed.hasNamed(ref.node);
  }

  /** The elementwise ops from a tensor of the saved graph back to one that the repaired graph still has: `to`. */
  #bypassed(saved: Graph, from: TensorRef, to: TensorRef): Node[] {
    const chain: Node[] = [];
    let at = from;
    while (!sameRef(at, to)) {
      const node = saved.find(at.node);
      if (!node || this.#isKept(at) || (!scalarOf(node.op) && !isIdentity(node))) return [];
      chain.push(node);
      const next = node.inputs.find((ref) => this.#leadsTo(saved, ref, to));
      if (!next) return [];
      at = next;
    }
    return chain.some((node) => !isIdentity(node)) ? chain : [];
  }

  /** Whether a tensor is `to`, or computed from it by elementwise ops that the repaired graph does not have. */
  #leadsTo(saved: Graph, from: TensorRef, to: TensorRef): boolean {
    const seen = new Set([from.node]);
    if (sameRef(from, to)) return true;
    for (const name of seen) {
      const node = saved.get(name);
      if (!scalarOf(node.op) && !isIdentity(node)) continue;
      for (const ref of node.inputs) {
        if (sameRef(ref, to)) return true;
        if (!this.#isKept(ref)) seen.add(ref.node);
      }
    }
    return false;
  }
}

function isIn(nodes: readonly Node[], { node }: TensorRef): boolean {
  return nodes.some(({ name }) => name === node);
}

/** The node of the saved graph that a node was; the last op before an output may have taken its name. */
function counterpart(saved: Graph, node: Node): Node | undefined {
  const found = saved.find(node.name);
  if (!found || found.op === node.op || !isIdentity(found)) return found;
  return saved.find(sourceOf(saved, { node: found.name, port: 0 }, isIdentity).node);
}

/** Where a node of the saved graph had an input: an op of TensorFlow before 1.0, which becomes a fused one, has another order. */
function placeOf(index: number, node: Node, original: Node): number {
  return isGlobalBatchNorm(original) && isFused(node) ? GLOBAL_ORDER[index]! : index;
}

/** x, scale, offset, mean, variance of a fused batch norm among t, m, v, beta, gamma. */
const GLOBAL_ORDER = [0, 4, 3, 1, 2];

function tensorOf(value: TensorValue): Tensor {
  return numberTensor(dtypeOf(value.dtype), value.shape, numbersOf(value));
}

/**
 * Whether a tensor depends on the inputs only through statistics.
 * @param statistics - as `name:port`
 */
export function isOfStatistics(saved: Graph, tensor: TensorRef, statistics: ReadonlySet<string>): boolean {
  const activations = findActivations(saved);
  const seen = new Map([[tensorName(tensor), tensor]]);
  for (const [key, { node }] of seen) {
    if (statistics.has(key)) continue;
    const { inputs } = saved.get(node);
    if (inputs.length === 0 && activations.hasNamed(node)) return false;
    for (const ref of inputs) if (activations.hasNamed(ref.node)) seen.set(tensorName(ref), ref);
  }
  return true;
}
