import { attrShape } from '../../graph/attrs.js';
import type { Graph } from '../../graph/graph.js';
import { type Node, sameRef, type TensorRef } from '../../graph/node.js';
import type { NodeSet } from '../../graph/node_set.js';
import { IDENTITIES, SHAPE_QUERIES } from '../../graph/walk.js';
import { isVariable } from '../state/variables.js';
import { ARITHMETIC, ELEMENT_PRESERVING_OPS, evaluate } from '../values/evaluate.js';
import { findActivations, spreadFromSources } from './activations.js';

/** Uniform on [0, 1). */
const UNIFORM = /^(RandomUniform|StatelessRandomUniform(V2)?)$/;
/** Of mean 0 and deviation 1; the symmetry alone counts here. */
const NORMAL =
  /^(RandomStandardNormal|TruncatedNormal|StatelessRandomNormal(V2)?|StatelessTruncatedNormal(V2)?|ParameterizedTruncatedNormal)$/;
const STEPS: Readonly<Record<string, (...x: number[]) => number>> = {
  ...ARITHMETIC,
  Floor: Math.floor,
  Ceil: Math.ceil,
  Round: Math.round,
  Rint: Math.round,
  Sign: Math.sign,
  Abs: Math.abs,
  Greater: (a, b) => Number(a! > b!),
  GreaterEqual: (a, b) => Number(a! >= b!),
  Less: (a, b) => Number(a! < b!),
  LessEqual: (a, b) => Number(a! <= b!),
  LogicalNot: (a) => 1 - a!,
  Fill: (_dims, value) => value!,
  Select: (condition, a, b) => (condition ? a! : b!),
  SelectV2: (condition, a, b) => (condition ? a! : b!),
};
/** Ops that hand noise on without mixing its elements. */
const PASSES: ReadonlySet<string> = new Set([...IDENTITIES, 'Cast', 'Enter', 'Reshape', 'ExpandDims', 'Squeeze']);
/** Ops that mix elements of noise: what they give is no factor of one element any more. */
const MIXES =
  /^(MaxPool|AvgPool|MaxPool3D|Sum|Mean|Max|Min|Prod|Pad(V2)?|Slice|StridedSlice|Tile|Transpose|ResizeNearestNeighbor)$/;

/** A tensor that is made of one noise and parameters alone. */
export interface NoiseTensor {
  readonly ref: TensorRef;
  /** What it is on average; undefined where its elements are mixed. */
  readonly mean: number | undefined;
}

/** The ops that make noise of a known law. */
export function isNoise(node: Node): boolean {
  return UNIFORM.test(node.op) || NORMAL.test(node.op);
}

/** Ops that make noise of other laws: no dropout is made of it. */
const OTHER_NOISE =
  /^(RandomGamma|RandomPoisson(V2)?|RandomShuffle|(Stateless)?RandomUniformInt(V2)?|StatelessRandom(Gamma|Poisson).*)$/;

export function isOtherNoise(node: Node): boolean {
  return OTHER_NOISE.test(node.op);
}

/** Whether noise lies within bounds: that of a latent variable does not. */
export function isBounded(node: Node): boolean {
  return UNIFORM.test(node.op);
}

/** How finely an expression of noise is looked at. */
const GRID = 64;
/** An expression of noise that takes no more values than these is a step. */
const MAX_STEP_VALUES = 4;

/** What the live nodes of a graph make of noise. */
export class Noise {
  /** The nodes that depend on what is fed; noise does not. */
  readonly fed: NodeSet;
  readonly #graph: Graph;
  readonly #live: NodeSet;

  constructor(graph: Graph, live: NodeSet) {
    this.#graph = graph;
    this.#live = live;
    const activations = findActivations(graph);
    this.fed = spreadFromSources(graph, (node) => activations.has(node) && !isNoise(node));
  }

  /** The noise itself and what is made of it alone. */
  tensorsOf(random: Node): NoiseTensor[] {
    const noise: TensorRef = { node: random.name, port: 0 };
    const found = new Map<string, NoiseTensor>([[random.name, { ref: noise, mean: this.#meanOf(noise, random) }]]);
    for (const { ref, mean } of found.values()) {
      for (const node of this.#graph.consumers(ref)) {
        if (!this.#live.has(node) || found.has(node.name)) continue;
        const others = node.inputs.filter((input) => !found.has(input.node));
        const out = { node: node.name, port: 0 };
        if (MIXES.test(node.op)) found.set(node.name, { ref: out, mean: undefined });
        else if (PASSES.has(node.op) || (node.op in STEPS && others.every((input) => this.isParameter(input)))) {
          found.set(node.name, { ref: out, mean: mean === undefined ? undefined : this.#meanOf(out, random) });
        }
      }
    }
    return [...found.values()];
  }

  /** The value of a parameter: of what only a run would tell, any number between 0 and 1, another one for each. */
  valueOf(ref: TensorRef): number {
    const node = this.#graph.find(ref.node);
    if (node?.op === 'Fill') return this.valueOf(node.inputs[1]!);
    return evaluate(this.#graph, ref, (leaf) => this.#parameterAt(leaf), STEPS);
  }

  /** Whether a tensor is a single number that no data decides: constants, placeholders, variables, flags, arithmetic. */
  isParameter(ref: TensorRef, depth = 0): boolean {
    const node = this.#graph.find(ref.node);
    if (!node || depth > MAX_DEPTH) return false;
    if (node.op === 'Const') return node.tensor?.shape.every((size) => size === 1) ?? false;
    // The same number for every element.
    if (node.op === 'OnesLike' || node.op === 'ZerosLike') return true;
    if (node.op === 'Fill') return this.isParameter(node.inputs[1]!, depth + 1);
    if (/^Placeholder(WithDefault)?$/.test(node.op) || isVariable(node)) {
      const shape = attrShape(node, 'shape');
      return shape ? shape.every((size) => size === 1) : this.#isUsedAsNumber(node);
    }
    const known =
      node.op in STEPS || ELEMENT_PRESERVING_OPS.has(node.op) || CHOOSES.test(node.op) || node.op === 'ReadVariableOp';
    if (!known || node.inputs.length === 0 || node.op === 'Mean') return false;
    const inputs = SWITCHES.test(node.op) ? node.inputs.slice(0, 1) : node.inputs;
    return inputs.every((input) => this.isParameter(input, depth + 1));
  }

  /** Whether a tensor is made of variables and constants alone, some of several elements. */
  isWeight(ref: TensorRef): boolean {
    let found = false;
    const seen = new Map([[ref.node, ref]]);
    for (const at of seen.values()) {
      const node = this.#graph.find(at.node);
      if (!node || isNoise(node) || isOtherNoise(node) || this.fed.has(node) || seen.size > MAX_WEIGHT) return false;
      if (SHAPE_QUERIES.has(node.op)) continue;
      found ||= isVariable(node) || (node.op === 'Const' && !this.isParameter(at));
      for (const input of node.inputs) seen.set(input.node, input);
    }
    return found;
  }

  /** Of a placeholder without a shape, its use tells whether it is data: a number goes into arithmetic only. */
  #isUsedAsNumber(node: Node): boolean {
    const consumers = this.#graph.dataConsumers(node.name).filter((each) => this.#live.has(each));
    return consumers.every(({ op }) => op in STEPS || ELEMENT_PRESERVING_OPS.has(op) || CHOOSES.test(op));
  }

  /** Mean of an expression over its noise: exact for steps, whose edges are searched, and for straight lines. */
  #meanOf(ref: TensorRef, random: Node): number | undefined {
    const noise: TensorRef = { node: random.name, port: 0 };
    const uniform = UNIFORM.test(random.op);
    const at = (u: number) => {
      const known = (leaf: TensorRef) => {
        if (!sameRef(leaf, noise)) return this.#parameterAt(leaf);
        return uniform ? u : symmetric(u);
      };
      return evaluate(this.#graph, ref, known, STEPS);
    };
    const points = Array.from({ length: GRID + 1 }, (_, i) => Math.min(Math.max(i / GRID, EDGE), 1 - EDGE));
    const values = points.map(at);
    if (!values.every(Number.isFinite)) return undefined;
    const isStep = new Set(values).size <= MAX_STEP_VALUES;
    let mean = 0;
    for (let i = 0; i < GRID; i++) {
      const [a, b] = [values[i]!, values[i + 1]!];
      const [from, to] = [i / GRID, (i + 1) / GRID];
      const edge = isStep && a !== b ? edgeOf(at, a, from, to) : (from + to) / 2;
      mean += a * (edge - from) + b * (to - edge);
    }
    return mean;
  }

  #parameterAt(leaf: TensorRef): number | undefined {
    const node = this.#graph.find(leaf.node);
    if (!node || node.op === 'Const' || node.op in STEPS || ELEMENT_PRESERVING_OPS.has(node.op)) return undefined;
    const source = node.op === 'ReadVariableOp' ? node.inputs[0]!.node : leaf.node;
    let hash = 7;
    for (let i = 0; i < source.length; i++) hash = (hash * 31 + source.charCodeAt(i)) % 100_003;
    return 0.25 + hash / 200_006;
  }
}

const EDGE = 1e-9;
const MAX_DEPTH = 30;
/** Weights of a net are read, scaled and reshaped, not more. */
const MAX_WEIGHT = 40;
const SWITCHES = /^(Ref)?Switch$/;
const CHOOSES = /^((Ref)?(Switch|Merge)|Select(V2)?|Equal|NotEqual|LogicalAnd|LogicalOr|FloorDiv|FloorMod)$/;

/** Where a step leaves the value that it has at `from`. */
function edgeOf(at: (u: number) => number, value: number, from: number, to: number): number {
  let [low, high] = [from, to];
  for (let step = 0; step < 40; step++) {
    const middle = (low + high) / 2;
    if (at(middle) === value) low = middle;
    else high = middle;
  }
  return low;
}

/** Something like the normal distribution: odd around one half, which is what counts. */
function symmetric(u: number): number {
  return Math.log(u / (1 - u)) / 1.702;
}
