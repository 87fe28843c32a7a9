import type { Graph } from '../../graph/graph.js';
import type { Node, TensorRef } from '../../graph/node.js';
import { sameRef } from '../../graph/node.js';
import type { NodeSet } from '../../graph/node_set.js';
import { SHAPE_READERS, topologicalOrder } from '../../graph/walk.js';
import { isBounded, isNoise, isOtherNoise, Noise, type NoiseTensor } from './noise.js';

/** A dropout that is active: at inference its output is `x`. */
export interface Dropout {
  /** The op that applies the mask: Mul, Select, or the scaling after it. */
  readonly output: string;
  readonly x: TensorRef;
  /** The op that makes the noise. */
  readonly random: string;
}

/** Noise that acts on activations like a mask and is no dropout that bnfix knows. */
export interface UnknownMask {
  readonly output: string;
  readonly random: string;
  readonly why: string;
}

const SELECTS: ReadonlySet<string> = new Set(['Select', 'SelectV2']);
const SUMS: ReadonlySet<string> = new Set(['Add', 'AddV2', 'AddN', 'Sub']);
const DIVISIONS: ReadonlySet<string> = new Set(['Div', 'RealDiv']);
/** A factor that is 0 on average is no mask: the noise of a variational autoencoder, `mu + sigma * noise`. */
const NO_MASK = 1e-6;
const SWITCHES = /^(Ref)?Switch$/;

/**
 * Finds dropouts by their data flow, whatever wrote them: an activation times a factor that is made of noise and
 * parameters alone, or chosen by a condition that is. That factor and scaling are 1 on average is checked by numbers.
 */
export function findDropouts(graph: Graph, live: NodeSet): { dropouts: Dropout[]; unknown: UnknownMask[] } {
  const dropouts: Dropout[] = [];
  const unknown: UnknownMask[] = [];
  // In file order: of dropouts that follow each other, the first takes the first scaling.
  const randoms = [...graph.nodes()].filter((node) => live.has(node) && isNoise(node));
  if (randoms.length === 0 && ![...live].some(isOtherNoise)) return { dropouts, unknown };
  const noise = new Noise(graph, live);
  const claimed = new Set<string>();
  for (const random of randoms) {
    const tensors = noise.tensorsOf(random);
    const ofNoise = new Set(tensors.map(({ ref }) => ref.node));
    for (const tensor of tensors) {
      for (const node of graph.consumers(tensor.ref)) {
        if (!live.has(node) || ofNoise.has(node.name)) continue;
        const acts = node.inputs.some(
          (ref) => !sameRef(ref, tensor.ref) && (noise.fed.hasNamed(ref.node) || noise.isWeight(ref)),
        );
        const applied = acts ? application(noise, node, tensor) : undefined;
        if (!applied) continue;
        const found = applied.x && unscaled(graph, noise, live, claimed, node, applied.x, applied.mean);
        if (found) {
          if (found.scaling) claimed.add(found.scaling);
          dropouts.push({ output: found.output, x: found.x, random: random.name });
        } else unknown.push({ output: node.name, random: random.name, why: applied.why });
      }
    }
  }
  unknown.push(...strayNoise(graph, noise, live, new Set([...dropouts, ...unknown].map(({ output }) => output))));
  return { dropouts, unknown };
}

const MULTIPLIES =
  /^(MatMul|BatchMatMul(V2|V3)?|SparseTensorDenseMatMul|Conv\dD|DepthwiseConv2dNative|Conv\dDBackpropInput(V2)?)$/;
const CHOOSES = /^(Gather(V2|Nd)?|ResourceGather|Slice|StridedSlice|SparseReshape|ScatterNd|ReverseV2)$/;
const COMBINES = /^(Mul|RealDiv|Div|Select(V2)?|Add(V2|N)?|Sub|Maximum|Minimum|LogicalAnd)$/;

/**
 * Where noise meets data in a way that only training does, without being a mask: as weights, as a choice of elements.
 * What a latent variable does is none of it: it is joined to data, multiplied by weights, or scaled and added.
 */
function strayNoise(graph: Graph, noise: Noise, live: NodeSet, known: ReadonlySet<string>): UnknownMask[] {
  const found: UnknownMask[] = [];
  /** What is made of noise and of no data, and the op that made the noise. */
  const made = new Map<Node, Node>();
  for (const node of topologicalOrder(graph)) {
    if (!live.has(node) || known.has(node.name) || SHAPE_READERS.has(node.op)) continue;
    if (isNoise(node) || isOtherNoise(node)) made.set(node, node);
    const inputs = graph.inputNodes(node);
    const index = inputs.findIndex((input) => input && made.has(input));
    const random = made.get(inputs[index]!);
    if (!random) {
      if (node.op === 'RandomShuffle' && noise.fed.has(node)) report(node, node, 'it puts data in another order');
      continue;
    }
    const meetsData = node.inputs.some(
      (ref, i) => !made.has(inputs[i]!) && noise.fed.has(inputs[i]) && !noise.isParameter(ref),
    );
    const isSum = SUMS.has(node.op);
    if (!meetsData) made.set(node, random);
    else if (MULTIPLIES.test(node.op) && index > 0) report(node, random, 'it changes weights');
    else if (CHOOSES.test(node.op)) report(node, random, 'it chooses by chance');
    else if (COMBINES.test(node.op) && (isOtherNoise(random) || (isBounded(random) && isSum))) {
      report(node, random, isSum ? 'noise is added' : 'its mask has a form of its own');
    }
  }
  return found;

  function report({ name }: Node, random: Node, why: string): void {
    found.push({ output: name, random: random.name, why });
  }
}

interface Application {
  /** What the factor is applied to; undefined where noise does something else to the data. */
  readonly x: TensorRef | undefined;
  readonly mean: number;
  readonly why: string;
}

const UNBALANCED = 'its mask is not balanced by a factor of 1 / P(keep)';

/** What noise does to an activation: a factor of a Mul, or the choice between it and 0. */
function application(noise: Noise, node: Node, { ref, mean }: NoiseTensor): Application | undefined {
  const [a, b, c] = node.inputs;
  const unknown = (why: string) => ({ x: undefined, mean: 0, why });
  if (node.op === 'Mul') {
    if (mean === undefined) return unknown('its mask has a form of its own');
    return Math.abs(mean) < NO_MASK ? undefined : { x: sameRef(a!, ref) ? b : a, mean, why: UNBALANCED };
  }
  if (DIVISIONS.has(node.op) && sameRef(b!, ref)) return unknown('it divides by noise');
  if (SELECTS.has(node.op) && sameRef(a!, ref)) {
    if (mean !== undefined && noise.valueOf(c!) === 0) return { x: b, mean, why: UNBALANCED };
    if (mean !== undefined && noise.valueOf(b!) === 0) return { x: c, mean: 1 - mean, why: UNBALANCED };
    return unknown('it chooses by chance');
  }
  if (SUMS.has(node.op)) return unknown('noise is added');
  return SWITCHES.test(node.op) && sameRef(b!, ref) ? unknown('it takes a branch by chance') : undefined;
}

/** The tensor before dropout and the op after it, when scaling and mask cancel out on average. */
function unscaled(
  graph: Graph,
  noise: Noise,
  live: NodeSet,
  claimed: ReadonlySet<string>,
  node: Node,
  applied: TensorRef,
  keep: number,
): { output: string; x: TensorRef; scaling?: string } | undefined {
  const cancels = (factor: number) => Math.abs(factor * keep - 1) < 1e-4;
  // Where dropouts follow each other, a scaling belongs to one of them.
  const before = claimed.has(applied.node) ? undefined : scaling(graph, noise, applied);
  if (before && cancels(before.factor)) return { output: node.name, x: before.x, scaling: applied.node };
  // The scaling may come after the mask.
  const [after, ...others] = graph.dataConsumers(node.name).filter((each) => live.has(each) && !claimed.has(each.name));
  const scaled = after && others.length === 0 ? scaling(graph, noise, { node: after.name, port: 0 }) : undefined;
  if (after && scaled && scaled.x.node === node.name && cancels(scaled.factor))
    return { output: after.name, x: applied, scaling: after.name };
  if (cancels(1)) return { output: node.name, x: applied };
  return undefined;
}

/** A tensor as `x` times a scalar. */
function scaling(graph: Graph, noise: Noise, ref: TensorRef): { x: TensorRef; factor: number } | undefined {
  const node = graph.find(ref.node);
  if (!node || ref.port !== 0) return undefined;
  const [a, b] = node.inputs;
  if (DIVISIONS.has(node.op) && noise.isParameter(b!)) return { x: a!, factor: 1 / noise.valueOf(b!) };
  if (node.op === 'Mul' && noise.isParameter(b!)) return { x: a!, factor: noise.valueOf(b!) };
  if (node.op === 'Mul' && noise.isParameter(a!)) return { x: b!, factor: noise.valueOf(a!) };
  return undefined;
}
