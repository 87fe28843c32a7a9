import { constantScalar } from '../analysis/values/constants.js';
import type { Graph } from '../graph/graph.js';
import { type Node, sameRef, type TensorRef } from '../graph/node.js';
import { sourceOf } from '../graph/walk.js';
import { epsilonAttr } from '../ops/epsilon.js';
import { anyOf } from '../ops/meaning.js';

/** What the arithmetic of an unfused batch norm says about it. */
export interface Arithmetic {
  /** What is added to the variance, 0 if nothing is; undefined if that was not recognised. */
  readonly epsilon: number | undefined;
  /** What the root is multiplied by: gamma, usually; undefined if not everything was recognised. */
  readonly factors: readonly TensorRef[] | undefined;
  /** Its offset. */
  readonly beta: TensorRef | undefined;
  /** The activation that it normalises. */
  readonly x: TensorRef | undefined;
}

/** How the operands of a batch norm are distinguished. */
export interface Operands {
  /** Whether a tensor is the value of a variable or a constant with one number per channel. */
  readonly isStored: (ref: TensorRef) => boolean;
  readonly isActivation: (node: Node | undefined) => boolean;
  /** Whether a node counts; gradients multiply by the same tensors. */
  readonly isLive: (node: Node) => boolean;
  /** The activation that it normalises as it is and before it is shifted, if that is known; otherwise empty. */
  readonly sources: readonly TensorRef[];
}

const adds = anyOf('add', 'bias');
const subtracts = anyOf('subtract');
const scales = anyOf('multiply', 'divide');
const divides = anyOf('divide');
const multiplies = anyOf('multiply');
const forwards = anyOf('identity', 'cast', 'reshape', 'enter', 'reciprocal');
const unwraps = anyOf('identity', 'cast', 'reshape', 'enter', 'subtract', 'transpose');
const passes = anyOf('identity', 'cast', 'reshape', 'enter');
const bounds = anyOf('extremum', 'activation');

/** Maximum number of ops on each side of the op that scales the activation. */
const MOST_OPS = 12;

/** What an unfused batch norm adds to the variance, under its root: 0 if nothing; undefined if that was not recognised. */
export function epsilonUnder(graph: Graph, root: string): number | undefined {
  const [under] = graph.get(root).inputs;
  const node = under && graph.find(sourceOf(graph, under, passes).node);
  if (!node || bounds(node)) return undefined;
  if (!adds(node)) return 0;
  const constants = node.inputs.flatMap((ref) => constantScalar(graph, ref) ?? []);
  return constants.length === 1 && constants[0]! > 0 ? constants[0] : undefined;
}

const isFused = anyOf('fused_batch_norm');

/** The epsilon of a batch norm, fused or unfused; undefined if it was not recognised. */
export function epsilonOf(graph: Graph, name: string): number | undefined {
  const node = graph.get(name);
  return isFused(node) ? epsilonAttr(node) : epsilonUnder(graph, name);
}

/** Reads the arithmetic around the root of a variance. */
export function arithmeticOf(graph: Graph, root: string, operands: Operands): Arithmetic {
  return new Reader(graph, operands).read(graph.get(root));
}

class Reader {
  readonly #graph: Graph;
  readonly #operands: Operands;
  readonly #factors: TensorRef[] = [];
  #isKnown = true;
  #beta: TensorRef | undefined;

  constructor(graph: Graph, operands: Operands) {
    this.#graph = graph;
    this.#operands = operands;
  }

  read(root: Node): Arithmetic {
    const applied = this.#upToApplication(root);
    if (applied) this.#afterApplication(applied.node);
    return {
      epsilon: epsilonUnder(this.#graph, root.name),
      factors: applied && this.#isKnown ? this.#factors : undefined,
      beta: this.#beta,
      x: applied && this.#unshifted(applied.x),
    };
  }

  /** Follows the root through what it is multiplied by, to the op that scales the activation. */
  #upToApplication(root: Node): { node: Node; x: TensorRef } | undefined {
    const chain = new Set([root.name]);
    for (const name of chain) {
      if (chain.size > MOST_OPS) break;
      for (const node of this.#consumers(name)) {
        if (chain.has(node.name)) continue;
        if (forwards(node)) chain.add(node.name);
        // Added to the root, epsilon has another effect.
        if (adds(node) && node.inputs.some((ref) => constantScalar(this.#graph, ref) !== undefined))
          this.#isKnown = false;
        if (!scales(node) || this.#scalesMean(node)) continue;
        const other = node.inputs.find((ref) => !chain.has(ref.node));
        if (!other || (divides(node) && sameRef(node.inputs[1]!, other))) this.#isKnown = false;
        else if (this.#isData(node, other)) return { node, x: other };
        else {
          this.#factors.push(other);
          chain.add(node.name);
        }
      }
    }
    return undefined;
  }

  /** Whether an operand is the activation itself, not a scale that depends on the input as well. */
  #isData(node: Node, other: TensorRef): boolean {
    const { sources, isActivation } = this.#operands;
    if (sources.length > 0) return this.#comesFrom(other, sources);
    if (!isActivation(this.#graph.find(other.node))) return false;
    const next = this.#consumers(node.name).filter((each) => scales(each));
    return !next.some((each) =>
      each.inputs.some((ref) => ref.node !== node.name && isActivation(this.#graph.find(ref.node))),
    );
  }

  /** Whether a tensor is one of some others, possibly shifted, and scaled by stored factors, which are noted. */
  #comesFrom(ref: TensorRef, sources: readonly TensorRef[]): boolean {
    const factors: TensorRef[] = [];
    let at: TensorRef | undefined = ref;
    for (let i = 0; at && i < MOST_OPS; i++) {
      const here: TensorRef = at;
      if (sources.some((source) => sameRef(source, here))) {
        this.#factors.push(...factors);
        return true;
      }
      const node: Node | undefined = this.#graph.find(here.node);
      const factor = node && multiplies(node) ? node.inputs.find((input) => this.#operands.isStored(input)) : undefined;
      if (factor) factors.push(factor);
      at = factor ? node!.inputs.find((input) => input !== factor) : node && unwraps(node) ? node.inputs[0] : undefined;
    }
    return false;
  }

  /** Whether an op scales the mean, which is then subtracted from the offset. */
  #scalesMean(node: Node): boolean {
    return this.#consumers(node.name).some((next) => subtracts(next) && next.inputs[1]?.node === node.name);
  }

  /** What scales and shifts the normalised activation. */
  #afterApplication(applied: Node): void {
    const chain = new Set([applied.name]);
    for (const name of chain) {
      if (chain.size > MOST_OPS) return;
      for (const node of this.#consumers(name)) {
        const other = node.inputs.find((ref) => !chain.has(ref.node));
        if (passes(node) || subtracts(node)) chain.add(node.name);
        else if (!other) continue;
        else if (scales(node) && !divides(node) && this.#operands.isStored(other)) {
          this.#factors.push(other);
          chain.add(node.name);
        } else if (adds(node)) this.#beta ??= this.#offsetIn(other);
      }
      if (this.#beta) return;
    }
  }

  /** The offset in what is added: `beta` or `beta - mean * scale`. */
  #offsetIn(ref: TensorRef): TensorRef | undefined {
    if (this.#operands.isStored(ref)) return ref;
    const node = this.#graph.find(sourceOf(this.#graph, ref, passes).node);
    const [first] = node && subtracts(node) ? node.inputs : [];
    return first && this.#operands.isStored(first) ? first : undefined;
  }

  #consumers(name: string): readonly Node[] {
    return this.#graph.dataConsumers(name).filter(this.#operands.isLive);
  }

  /** The activation before the mean is subtracted. */
  #unshifted(ref: TensorRef): TensorRef {
    const [known] = this.#operands.sources;
    if (known) return known;
    const node = this.#graph.find(ref.node);
    const [x, mean] = node && subtracts(node) ? node.inputs : [];
    const { isActivation } = this.#operands;
    const isShift = x && mean && isActivation(this.#graph.find(x.node)) && !isActivation(this.#graph.find(mean.node));
    return isShift ? x : ref;
  }
}
