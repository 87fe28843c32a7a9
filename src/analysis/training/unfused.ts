import type { Graph } from '../../graph/graph.js';
import { type Node, refText, type TensorRef } from '../../graph/node.js';
import type { NodeSet } from '../../graph/node_set.js';
import { ancestors } from '../../graph/walk.js';
import { anyOf, isGlobalBatchNorm } from '../../ops/meaning.js';
import type { MovingAverages } from '../state/moving_averages.js';
import { constantScalar } from '../values/constants.js';
import type { Shapes } from '../values/shapes.js';
import { Moments } from './moments.js';

/** An unfused batch norm: a normalisation by arithmetic on batch statistics. */
export interface UnfusedPattern {
  /** The Rsqrt, Sqrt or Pow of the variance, or the op that takes mean and variance. */
  readonly name: string;
  /** The activation that it normalises. */
  readonly x: TensorRef;
  /** Tensors that carry the variance, nearest to the root first. */
  readonly variance: readonly TensorRef[];
  /** Tensors that carry the mean: the reduction and what only changes its shape. */
  readonly mean: readonly TensorRef[];
  /** The scale and offset of the normalised activation. */
  readonly parameters: readonly TensorRef[];
  /** The ops that reduce over the batch. */
  readonly reductions: readonly string[];
}

/**
 * Finds the unfused batch norms of a graph that use batch statistics: a root of an expression of reductions over the batch
 * that scales the activation which they reduce.
 */
export function findUnfused(
  graph: Graph,
  shapes: Shapes,
  activations: NodeSet,
  averages: MovingAverages,
): UnfusedPattern[] {
  const finder = new Finder(graph, activations, averages, new Moments(graph, shapes, activations, averages));
  return [...graph.nodes()].flatMap((node) => finder.patternAt(node) ?? []);
}

const isRoot = anyOf('root');
const isPower = anyOf('power');
const applies = anyOf('multiply', 'divide');
const scales = anyOf('multiply', 'divide', 'add', 'reciprocal', 'identity', 'cast', 'reshape', 'enter');
const shifts = anyOf('subtract', 'bias');
const unwraps = anyOf('identity', 'cast', 'reshape', 'enter', 'subtract');
const isMultiply = anyOf('multiply');
const adds = anyOf('add', 'bias');

/** Maximum number of ops between the root and scale or shift. */
const PARAMETER_DISTANCE = 4;

class Finder {
  readonly #graph: Graph;
  readonly #activations: NodeSet;
  readonly #averages: MovingAverages;
  readonly #moments: Moments;

  constructor(graph: Graph, activations: NodeSet, averages: MovingAverages, moments: Moments) {
    this.#graph = graph;
    this.#activations = activations;
    this.#averages = averages;
    this.#moments = moments;
  }

  /** The normalisation whose root, or whose op, a node is. */
  patternAt(node: Node): UnfusedPattern | undefined {
    const global = isGlobalBatchNorm(node);
    const head = global ? node.inputs[2] : this.#underRoot(node);
    if (!head || !this.#activations.hasNamed(head.node)) return undefined;
    const carriers = this.#moments.varianceCarriers(head);
    const reductions = this.#moments.reductionsOf(carriers.at(-1)!);
    if (reductions.length === 0) return undefined;
    const sources = this.#moments.sourcesOf(reductions);
    if (!global && !this.#isApplied(node, sources.all)) {
      // A scale may also be independent of the activation (a label, say). Costly to find out, and rare: last.
      const independent = (refs: readonly TensorRef[]) => this.#areApart(refs, sources.x);
      if (!this.#isApplied(node, sources.all, independent)) return undefined;
    }
    // If a variable averages the standard deviation itself, it replaces that.
    const isRootAveraged = !global && this.#averages.has(node.name);
    const variance = isRootAveraged ? this.#moments.carriersOf([{ node: node.name, port: 0 }]) : carriers;
    const inVariance = new Set(variance.map(refText));
    const names = reductions.map(({ name }) => name);
    const means = [...this.#moments.meansOf(reductions), ...(global ? [node.inputs[1]!] : [])];
    return {
      name: node.name,
      x: sources.x,
      variance,
      mean: this.#moments.carriersOf(means).filter((ref) => !inVariance.has(refText(ref))),
      parameters: global ? node.inputs.slice(3, 5) : this.#parametersAfter(node, new Set(names)),
      reductions: names,
    };
  }

  /** The tensor under the root: what Rsqrt, Sqrt or Pow(., +-0.5) takes. */
  #underRoot(node: Node): TensorRef | undefined {
    if (isRoot(node)) return node.inputs[0];
    const exponent = isPower(node) ? (constantScalar(this.#graph, node.inputs[1]) ?? 0) : 0;
    return Math.abs(exponent) === 0.5 ? node.inputs[0] : undefined;
  }

  /** Whether the root scales the activation that it was computed from: then it is a normalisation. */
  #isApplied(
    root: Node,
    sources: ReadonlySet<string>,
    isScaledBy: (refs: readonly TensorRef[]) => boolean = () => false,
  ) {
    const seen = new Set([root.name]);
    for (const name of seen) {
      for (const node of this.#graph.dataConsumers(name)) {
        this.#moments.budget.spend(1 + node.inputs.length, name);
        const others = applies(node) ? node.inputs.filter((ref) => !seen.has(ref.node)) : [];
        if (others.some((ref) => this.#comesFrom(ref, sources))) return true;
        // A tensor combined with the activation is no longer a scale.
        const isScale = scales(node) && (this.#moments.isStatistic(node) || isScaledBy(others));
        if (isScale) seen.add(node.name);
      }
    }
    return false;
  }

  /** Whether tensors, one at least, do not depend on an activation. */
  #areApart(refs: readonly TensorRef[], activation: TensorRef): boolean {
    if (refs.length === 0) return false;
    const names = refs.map(({ node }) => node);
    const before = ancestors(this.#graph, names, false);
    this.#moments.budget.spend(before.size, activation.node);
    return !before.hasNamed(activation.node);
  }

  /** Whether a tensor is an activation of `sources`, possibly shifted and scaled. */
  #comesFrom(ref: TensorRef, sources: ReadonlySet<string>): boolean {
    const seen = new Set<string>();
    let at = ref;
    while (!seen.has(refText(at))) {
      this.#moments.budget.spend(1, at.node);
      if (sources.has(refText(at))) return true;
      seen.add(refText(at));
      const node = this.#graph.find(at.node);
      const [first, second] = node?.inputs ?? [];
      if (!node || !first || !(unwraps(node) || isMultiply(node) || this.#isBiased(node))) return false;
      at = second && !unwraps(node) && !this.#activations.hasNamed(first.node) ? second : first;
    }
    return false;
  }

  /** Whether an op adds a parameter to an activation. */
  #isBiased(node: Node): boolean {
    return adds(node) && node.inputs.filter((ref) => this.#activations.hasNamed(ref.node)).length === 1;
  }

  /** Non-activation operands right after the root: gamma, beta. Those after the next normalisation are not its own. */
  #parametersAfter(root: Node, reductions: ReadonlySet<string>): TensorRef[] {
    const found: TensorRef[] = [];
    let level = new Set([root.name]);
    for (let distance = 0; distance < PARAMETER_DISTANCE; distance++) {
      const next = new Set<string>();
      for (const name of level) {
        for (const node of this.#graph.dataConsumers(name)) {
          if (!scales(node) && !shifts(node)) continue;
          this.#moments.budget.spend(1 + node.inputs.length, name);
          if (node.inputs.some((ref) => this.#isOfAnother(ref, reductions))) continue;
          next.add(node.name);
          found.push(...node.inputs.filter((ref) => !this.#activations.hasNamed(ref.node)));
        }
      }
      level = next;
    }
    return found;
  }

  /** Whether a tensor is a statistic of another activation. */
  #isOfAnother(ref: TensorRef, reductions: ReadonlySet<string>): boolean {
    const node = this.#graph.find(ref.node);
    if (!node || !this.#moments.isStatistic(node)) return false;
    return this.#moments.reductionsOf(ref).some(({ name }) => !reductions.has(name));
  }
}
