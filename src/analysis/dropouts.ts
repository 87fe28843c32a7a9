import { attrShape } from '../graph/attrs.js';
import type { Graph, Node, TensorRef } from '../graph/graph.js';
import { sameRef } from '../graph/graph.js';
import { IDENTITIES } from '../graph/walk.js';
import { ARITHMETIC, evaluate, SHAPE_OPS } from './scalars.js';

/** A dropout that is active: at inference its output is `x`. */
export interface Dropout {
  /** The op that applies the mask: Mul, Select, or the scaling after it. */
  readonly output: string;
  readonly x: TensorRef;
  /** The op that makes the noise. */
  readonly random: string;
}

/** A random mask that is no dropout that bnfix knows. */
export interface UnknownMask {
  readonly output: string;
  readonly random: string;
  readonly why: string;
}

const UNIFORM: ReadonlySet<string> = new Set(['RandomUniform', 'StatelessRandomUniform', 'StatelessRandomUniformV2']);
const PASSES: ReadonlySet<string> = new Set([...IDENTITIES, 'Cast', 'Enter', 'Reshape']);
const COMPARISONS: Readonly<Record<string, 1 | -1>> = { Greater: 1, GreaterEqual: 1, Less: -1, LessEqual: -1 };
const SELECTS: ReadonlySet<string> = new Set(['Select', 'SelectV2']);
const DIVISIONS: ReadonlySet<string> = new Set(['Div', 'RealDiv']);
const PARAMETERS: ReadonlySet<string> = new Set(['Placeholder', 'PlaceholderWithDefault', 'VariableV2', 'VarHandleOp']);
const AFFINE: ReadonlySet<string> = new Set(['Add', 'AddV2', 'Sub', 'Mul', ...DIVISIONS]);

/**
 * Finds dropouts by their data flow, whatever TensorFlow wrote them: uniform noise, compared or floored to a mask, the
 * mask applied by Mul or Select, the rest scaled by 1 / P(keep). That the product of both is 1 is checked by numbers.
 */
export function findDropouts(graph: Graph): { dropouts: Dropout[]; unknown: UnknownMask[] } {
  const dropouts: Dropout[] = [];
  const unknown: UnknownMask[] = [];
  for (const random of graph.nodes()) {
    if (!UNIFORM.has(random.op)) continue;
    for (const mask of masksOf(graph, random)) {
      for (const node of graph.consumers(mask.ref)) {
        const applied = application(graph, node, mask.ref);
        if (!applied) continue;
        const found = unscaled(graph, node, applied, mask.keep);
        if (found) dropouts.push({ ...found, random: random.name });
        else {
          const why = 'its mask is not balanced by a factor of 1 / P(keep)';
          unknown.push({ output: node.name, random: random.name, why });
        }
      }
    }
  }
  return { dropouts, unknown };
}

interface Mask {
  readonly ref: TensorRef;
  /** Probability of 1. */
  readonly keep: number;
}

/** Tensors that are 1 or true with a probability and 0 else, made of this noise. */
function masksOf(graph: Graph, random: Node): Mask[] {
  const noise: TensorRef = { node: random.name, port: 0 };
  const masks: Mask[] = [];
  const seen = new Set<string>();
  const visit = (ref: TensorRef, keep: number | undefined): void => {
    if (seen.has(ref.node)) return;
    seen.add(ref.node);
    if (keep !== undefined) masks.push({ ref, keep });
    for (const node of graph.consumers(ref)) {
      const out: TensorRef = { node: node.name, port: 0 };
      if (PASSES.has(node.op)) visit(out, keep);
      else if (keep === undefined && node.op === 'Floor') visit(out, aboveZero(graph, noise, [[ref, 1]], -1));
      else if (keep === undefined && node.op in COMPARISONS) {
        const sign = COMPARISONS[node.op]!;
        const terms: [TensorRef, number][] = [
          [node.inputs[0]!, sign],
          [node.inputs[1]!, -sign],
        ];
        visit(out, aboveZero(graph, noise, terms, 0));
      } else if (keep === undefined && AFFINE.has(node.op) && graph.dataConsumers(node.name).length > 0)
        visit(out, undefined);
    }
  };
  visit(noise, undefined);
  return masks;
}

/** P(sum of terms + constant >= 0) for noise that is uniform on [0, 1); NaN when it does not depend on it linearly. */
function aboveZero(graph: Graph, noise: TensorRef, terms: readonly [TensorRef, number][], constant: number): number {
  const at = (u: number) =>
    terms.reduce(
      (sum, [ref, factor]) => sum + factor * evaluate(graph, ref, (leaf) => (sameRef(leaf, noise) ? u : undefined)),
      constant,
    );
  const [low, middle, high] = [at(0), at(0.5), at(1)];
  if (Math.abs((low + high) / 2 - middle) > 1e-6 || low === high) return Number.NaN;
  const root = Math.min(1, Math.max(0, -low / (high - low)));
  return high > low ? 1 - root : root;
}

/** What a mask is applied to: the other factor of a Mul, or the branch of a Select whose other branch is 0. */
function application(graph: Graph, node: Node, mask: TensorRef): TensorRef | undefined {
  const [a, b, c] = node.inputs;
  if (node.op === 'Mul') return sameRef(a!, mask) ? b : a;
  if (SELECTS.has(node.op) && sameRef(a!, mask) && evaluate(graph, c!, () => undefined) === 0) return b;
  return undefined;
}

/** The tensor before dropout and the op after it, when scaling and mask cancel out on average. */
function unscaled(
  graph: Graph,
  node: Node,
  applied: TensorRef,
  keep: number,
): { output: string; x: TensorRef } | undefined {
  const cancels = (factor: number) => Math.abs(factor * keep - 1) < 1e-4;
  const before = scaling(graph, applied);
  if (before && cancels(before.factor)) return { output: node.name, x: before.x };
  // The scaling may come after the mask.
  const [after, ...others] = graph.dataConsumers(node.name);
  const scaled = after && others.length === 0 ? scaling(graph, { node: after.name, port: 0 }) : undefined;
  if (after && scaled && scaled.x.node === node.name && cancels(scaled.factor))
    return { output: after.name, x: applied };
  if (cancels(1)) return { output: node.name, x: applied };
  return undefined;
}

/** A tensor as `x` times a scalar. */
function scaling(graph: Graph, ref: TensorRef): { x: TensorRef; factor: number } | undefined {
  const node = graph.find(ref.node);
  if (!node || ref.port !== 0) return undefined;
  const [a, b] = node.inputs;
  const parameter = (at: TensorRef) => evaluate(graph, at, () => undefined);
  if (DIVISIONS.has(node.op) && isScalar(graph, b!)) return { x: a!, factor: 1 / parameter(b!) };
  if (node.op === 'Mul' && isScalar(graph, b!)) return { x: a!, factor: parameter(b!) };
  if (node.op === 'Mul' && isScalar(graph, a!)) return { x: b!, factor: parameter(a!) };
  return undefined;
}

/** Whether a tensor is a parameter: made of constants and placeholders by arithmetic alone. */
function isScalar(graph: Graph, ref: TensorRef, depth = 0): boolean {
  const node = graph.find(ref.node);
  if (!node || depth > 12) return false;
  if (node.op === 'Const') return node.tensor?.shape.every((size) => size === 1) ?? false;
  if (PARAMETERS.has(node.op)) {
    const shape = attrShape(node, 'shape');
    return shape === undefined || shape.every((size) => size === 1);
  }
  if (!(node.op in ARITHMETIC) && !SHAPE_OPS.has(node.op)) return false;
  return node.inputs.length > 0 && node.inputs.every((input) => isScalar(graph, input, depth + 1));
}
