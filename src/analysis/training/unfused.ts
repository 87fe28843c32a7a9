import type { Graph } from '../../graph/graph.js';
import { type Node, refText, type TensorRef } from '../../graph/node.js';
import type { NodeSet } from '../../graph/node_set.js';
import { anyOf, isSwitch, opsWith } from '../../ops/meaning.js';
import type { MovingAverages } from '../state/moving_averages.js';
import { constantScalar } from '../values/constants.js';
import { forwardsElement } from '../values/evaluate.js';
import type { Shapes } from '../values/shapes.js';
import { isBatchReduction } from './batch_statistics.js';

/** A normalisation that is written as arithmetic, with moments that are taken over the batch. */
export interface UnfusedPattern {
  /** The Rsqrt, Sqrt or Pow of the variance, or the op that takes both moments. */
  readonly name: string;
  /** The activation whose moments are taken. */
  readonly x: TensorRef;
  /** Tensors that carry the variance, nearest to the root first. */
  readonly variance: readonly TensorRef[];
  /** Tensors that carry the mean: the reduction and what only changes its shape. */
  readonly mean: readonly TensorRef[];
  /** What the normalised activation is scaled and shifted by. */
  readonly parameters: readonly TensorRef[];
  /** The ops that reduce over the batch. */
  readonly reductions: readonly string[];
}

const ROOTS: ReadonlySet<string> = new Set(['Rsqrt', 'Sqrt']);
const GLOBAL: ReadonlySet<string> = new Set(['BatchNormWithGlobalNormalization', '_BatchNormWithGlobalNormalization']);
const SUMS: ReadonlySet<string> = new Set(['Add', 'AddV2', 'Maximum']);
const SQUARES: ReadonlySet<string> = new Set(['Square', 'SquaredDifference', 'Pow', 'Mul']);
/** What moments are made of, between the reductions and the variance. */
const MOMENT_OPS: ReadonlySet<string> = new Set([
  ...opsWith('identity', 'cast', 'reshape', 'broadcast', 'enter', 'exit', 'switch', 'mean'),
  ...SUMS,
  'Sub',
  'Mul',
  'RealDiv',
  'Div',
  'Square',
  'SquaredDifference',
  'Sum',
  'AddN',
  'Relu',
  'Neg',
  'Pow',
  'Select',
  'SelectV2',
]);
const scales = anyOf('multiply', 'divide');
const MAX_STEPS = 60;

/** Finds the normalisations of a graph that are arithmetic and use the statistics of the batch. */
export function findUnfused(
  graph: Graph,
  shapes: Shapes,
  activations: NodeSet,
  averages: MovingAverages,
): UnfusedPattern[] {
  const finder = new Finder(graph, shapes, activations, averages);
  const sites: UnfusedPattern[] = [];
  for (const node of graph.nodes()) {
    const site = finder.siteAt(node);
    if (site) sites.push(site);
  }
  return sites;
}

class Finder {
  readonly #graph: Graph;
  readonly #shapes: Shapes;
  readonly #activations: NodeSet;
  readonly #averages: MovingAverages;

  constructor(graph: Graph, shapes: Shapes, activations: NodeSet, averages: MovingAverages) {
    this.#graph = graph;
    this.#shapes = shapes;
    this.#activations = activations;
    this.#averages = averages;
  }

  siteAt(node: Node): UnfusedPattern | undefined {
    const global = GLOBAL.has(node.op);
    const head = global ? node.inputs[2] : this.#rootOf(node);
    if (!head || !this.#activations.hasNamed(head.node)) return undefined;
    const carriers = this.#carriers(head);
    const reductions = this.#reductions(carriers.at(-1)!);
    if (reductions.length === 0) return undefined;
    const sources = this.#sources(reductions);
    if (!global && !this.#isApplied(node, sources.all)) return undefined;
    // Where the variable follows the standard deviation itself, that is what is replaced.
    const rooted = !global && this.#averages.has(node.name);
    const variance = rooted ? this.#shapeChanges([{ node: node.name, port: 0 }]) : carriers;
    const inVariance = new Set(variance.map(refText));
    const means = reductions.filter((reduction) => !this.#isSquared(reduction));
    const mean = this.#shapeChanges([
      ...reductions.flatMap((reduction) => this.#followedMeans(reduction)),
      ...means.map((reduction) => ({ node: reduction.name, port: 0 })),
      ...(global ? [node.inputs[1]!] : []),
    ]).filter((ref) => !inVariance.has(refText(ref)));
    const parameters = global ? node.inputs.slice(3, 5) : this.#parameters(node);
    return {
      name: node.name,
      x: sources.x,
      variance,
      mean,
      parameters,
      reductions: reductions.map(({ name }) => name),
    };
  }

  /** The tensor under the root: what Rsqrt, Sqrt or Pow(., +-0.5) takes. */
  #rootOf(node: Node): TensorRef | undefined {
    if (ROOTS.has(node.op)) return node.inputs[0];
    if (node.op !== 'Pow') return undefined;
    const exponent = constantScalar(this.#graph, node.inputs[1]);
    return exponent !== undefined && Math.abs(exponent) === 0.5 ? node.inputs[0] : undefined;
  }

  /** From the root's argument back to the variance: past `+ epsilon`, then as long as only shape and type change. */
  #carriers(head: TensorRef): TensorRef[] {
    let at = head;
    const found: TensorRef[] = [];
    for (let step = 0; step < MAX_STEPS; step++) {
      const node = this.#graph.find(at.node);
      if (!node) break;
      const data = node.inputs.filter((ref) => this.#activations.hasNamed(ref.node));
      if (found.length === 0 && SUMS.has(node.op) && data.length === 1) {
        at = data[0]!;
        continue;
      }
      found.push(at);
      const passes = forwardsElement(node) && node.op !== 'Mean' && !isSwitch(node);
      const scaled = (scales(node) || node.op === 'Relu') && data.length === 1;
      if (!passes && !scaled) break;
      at = passes ? node.inputs[0]! : data[0]!;
    }
    return found;
  }

  /** The batch reductions that a variance is made of. */
  #reductions(variance: TensorRef): Node[] {
    const found: Node[] = [];
    const seen = new Set([variance.node]);
    for (const name of seen) {
      const node = this.#graph.find(name);
      if (!node || seen.size > MAX_STEPS) break;
      if (this.#isReduction(node)) found.push(node);
      // The mean is hidden behind the squared difference of the variance's own reduction.
      const inputs = this.#isReduction(node) ? this.#behindSquares(node) : MOMENT_OPS.has(node.op) ? node.inputs : [];
      for (const ref of inputs) if (this.#activations.hasNamed(ref.node)) seen.add(ref.node);
    }
    return found;
  }

  #isReduction(node: Node): boolean {
    if (node.op !== 'Mean' && node.op !== 'Sum') return false;
    if (!node.inputs[0] || !this.#activations.hasNamed(node.inputs[0].node)) return false;
    return isBatchReduction(this.#graph, this.#shapes, node) || this.#averages.has(node.name);
  }

  /** The reductions of the mean that a reduction of squared differences takes off. */
  #behindSquares(reduction: Node): readonly TensorRef[] {
    const found: TensorRef[] = [];
    for (const node of this.#unwrapped(reduction)) {
      if (node.op !== 'SquaredDifference' && node.op !== 'Sub') continue;
      for (const ref of node.inputs) {
        const source = this.#past(ref);
        const mean = this.#graph.find(source.node);
        if (mean && mean !== reduction && this.#isReduction(mean)) found.push(source);
      }
    }
    return found;
  }

  /** Tensors that a reduction of squared differences takes off and that a variable follows. */
  #followedMeans(reduction: Node): TensorRef[] {
    return this.#unwrapped(reduction)
      .filter((node) => node.op === 'SquaredDifference')
      .flatMap((node) => [...node.inputs])
      .filter((ref) => this.#averages.has(refText(ref)));
  }

  /** The nodes between a reduction and the activation that it reduces: casts, weights, squares, differences. */
  #unwrapped(reduction: Node): Node[] {
    const found: Node[] = [];
    const seen = new Set([reduction.inputs[0]!.node]);
    for (const name of seen) {
      const node = this.#graph.find(name);
      if (!node || seen.size > 12) break;
      found.push(node);
      const differs = node.op === 'SquaredDifference' || node.op === 'Sub';
      const opens = UNWRAPS.has(node.op) || SQUARES.has(node.op);
      const inputs = differs ? node.inputs.slice(0, 1) : opens ? node.inputs : [];
      for (const ref of inputs) if (this.#activations.hasNamed(ref.node)) seen.add(ref.node);
    }
    return found;
  }

  /** Back through changes of shape and factors that are parameters. */
  #past(ref: TensorRef): TensorRef {
    let at = ref;
    for (let step = 0; step < MAX_STEPS; step++) {
      const node = this.#graph.find(at.node);
      if (!node) return at;
      const data = node.inputs.filter((each) => this.#activations.hasNamed(each.node));
      const scaled = scales(node) && data.length === 1;
      if (!MEAN_WRAPS.has(node.op) && !scaled) return at;
      at = scaled ? data[0]! : node.inputs[0]!;
    }
    return at;
  }

  #isSquared(reduction: Node): boolean {
    return this.#unwrapped(reduction).some(
      (node) =>
        node.op === 'Square' ||
        node.op === 'SquaredDifference' ||
        node.op === 'Pow' ||
        (node.op === 'Mul' && refText(node.inputs[0]!) === refText(node.inputs[1]!)),
    );
  }

  /** The activations that the reductions reduce, before squares, shifts and casts. */
  #sources(reductions: readonly Node[]): { x: TensorRef; all: ReadonlySet<string> } {
    const all = new Set<string>();
    let x = reductions[0]!.inputs[0]!;
    for (const reduction of reductions) {
      all.add(refText(reduction.inputs[0]!));
      for (const node of this.#unwrapped(reduction)) {
        const opens = UNWRAPS.has(node.op) || SQUARES.has(node.op) || node.op === 'Sub';
        const data = node.inputs.filter((ref) => this.#activations.hasNamed(ref.node));
        if (!opens || data.length === 0) continue;
        x = data[0]!;
        for (const ref of node.op === 'Mul' ? data : data.slice(0, 1)) all.add(refText(ref));
      }
    }
    return { x, all };
  }

  /** Tensors that are no activations and join in within a few ops after the root: gamma, beta. */
  #parameters(root: Node): TensorRef[] {
    const found: TensorRef[] = [];
    let level = [root.name];
    for (let step = 0; step < 4; step++) {
      const next: string[] = [];
      for (const name of level) {
        for (const node of this.#graph.dataConsumers(name)) {
          if (!SCALE_OPS.has(node.op) && node.op !== 'Sub' && node.op !== 'BiasAdd') continue;
          next.push(node.name);
          found.push(...node.inputs.filter((ref) => !this.#activations.hasNamed(ref.node)));
        }
      }
      level = next.slice(0, MAX_STEPS);
    }
    return found;
  }

  /** Whether the root scales the same activation whose moments it came from: then it is a normalisation. */
  #isApplied(root: Node, sources: ReadonlySet<string>): boolean {
    const seen = new Set([root.name]);
    for (const name of seen) {
      if (seen.size > MAX_STEPS) return false;
      for (const node of this.#graph.dataConsumers(name)) {
        if (APPLIES.has(node.op) && node.inputs.some((ref) => !seen.has(ref.node) && this.#comesFrom(ref, sources))) {
          return true;
        }
        if (SCALE_OPS.has(node.op)) seen.add(node.name);
      }
    }
    return false;
  }

  #comesFrom(ref: TensorRef, sources: ReadonlySet<string>): boolean {
    let at = ref;
    for (let step = 0; step < 6; step++) {
      if (sources.has(refText(at))) return true;
      const node = this.#graph.find(at.node);
      if (!node || !(UNWRAPS.has(node.op) || node.op === 'Sub' || node.op === 'Mul') || !node.inputs[0]) return false;
      at = node.inputs[node.op === 'Mul' && !this.#activations.hasNamed(node.inputs[0].node) ? 1 : 0]!;
    }
    return false;
  }

  /**
   * The given tensors and all that only change their shape or scale them by a parameter. Where a shift is added back
   * (shifted moments), the mean begins there.
   */
  #shapeChanges(refs: readonly TensorRef[]): TensorRef[] {
    const found = new Map(refs.map((ref) => [refText(ref), ref]));
    const unshifted: TensorRef[] = [];
    for (const ref of found.values()) {
      if (found.size > MAX_STEPS) break;
      for (const node of this.#graph.consumers(ref)) {
        const out = { node: node.name, port: 0 };
        const data = node.inputs.filter((each) => this.#activations.hasNamed(each.node));
        const passes = forwardsElement(node) && node.inputs[0] && refText(node.inputs[0]) === refText(ref);
        const scaled = scales(node) && data.length === 1;
        const adds = node.op === 'Add' || node.op === 'AddV2';
        if (
          adds &&
          (this.#averages.has(node.name) || (data.length > 1 && data.every((each) => found.has(refText(each)))))
        ) {
          unshifted.push(out);
        } else if (passes || scaled) found.set(node.name, out);
      }
    }
    return unshifted.length > 0 && !refs.some((ref) => unshifted.some((out) => out.node === ref.node))
      ? this.#shapeChanges(unshifted)
      : [...found.values()];
  }
}

const UNWRAPS: ReadonlySet<string> = new Set(opsWith('identity', 'cast', 'reshape', 'enter'));
const MEAN_WRAPS: ReadonlySet<string> = new Set([...UNWRAPS, 'BroadcastTo']);
const APPLIES: ReadonlySet<string> = new Set(['Mul', 'RealDiv', 'Div']);
const SCALE_OPS: ReadonlySet<string> = new Set([
  ...UNWRAPS,
  'Mul',
  'RealDiv',
  'Div',
  'Add',
  'AddV2',
  'Reciprocal',
  'Inv',
]);
