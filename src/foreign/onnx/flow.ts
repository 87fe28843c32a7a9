import { readNumbers } from '../../graph/tensor.js';
import { constantOf, numberOfConstant, sourceOfConstant } from './constants.js';
import {
  isArithmetic,
  isConvolution,
  isRandom,
  isReduction,
  keepsFirstSize,
  keepsRank,
  movesElements,
  readsShape,
} from './ops.js';
import type { OnnxModel } from './read_model.js';
import type { Scalars } from './scalars.js';
import type { OnnxNode, Value } from './scope.js';

/** A tensor that is computed from data through reductions over the batch alone. */
export interface Statistic {
  readonly reductions: readonly OnnxNode[];
  /** The last op that took a root of it. */
  readonly root: OnnxNode | undefined;
}

/** What a tensor depends on; undefined: on no data. */
export type Dependence = 'data' | Statistic | undefined;

/** Activations that are scaled or shifted by a statistic of their batch. */
export interface Normalisation {
  /** The op that applies it first. */
  readonly node: OnnxNode;
  readonly statistic: Statistic;
}

/** A list of reductions is not longer: the variance of a batch norm has two or three. */
const MAX_REDUCTIONS = 8;
const MAX_HOPS = 100;

/** Follows data through a model, to find where batch statistics act on it. */
export class Flow {
  /** Where statistics act on data, one for each root; those without a root act by themselves. */
  readonly normalisations: Normalisation[] = [];
  /** Products with a zero: flags that choose by arithmetic. */
  readonly zeros = new Set<OnnxNode>();
  /** For a reduction of the squared distance from a mean: the reductions of the mean. */
  readonly centers = new Map<OnnxNode, readonly OnnxNode[]>();
  /** Reductions of squares. */
  readonly squares = new Set<OnnxNode>();
  readonly #dependences = new Map<OnnxNode, Dependence>();
  readonly #passed = new Map<OnnxNode, Dependence>();
  readonly #centered = new Map<OnnxNode, readonly OnnxNode[]>();
  readonly #scalars: Scalars;
  readonly #data: ReadonlyMap<string, readonly (number | undefined)[] | undefined>;
  readonly #applied = new Set<OnnxNode | string>();

  /** @param scalars - expressions that are no data */
  constructor(model: OnnxModel, scalars: Scalars, nodes: readonly OnnxNode[]) {
    this.#scalars = scalars;
    const data = model.inputs.filter(({ name }) => !scalars.inputs.has(name));
    this.#data = new Map(data.map(({ name, shape }) => [name, shape]));
    for (const node of nodes) this.#dependences.set(node, this.#step(node));
  }

  /** What a tensor depends on. */
  of({ producer, initializer, passedBy, name }: Value): Dependence {
    if (producer) return this.#dependences.get(producer);
    if (initializer) return undefined;
    if (!passedBy) return this.#data.has(name) ? 'data' : undefined;
    if (!this.#passed.has(passedBy)) this.#passed.set(passedBy, union(this.#inputsOf(passedBy)));
    return this.#passed.get(passedBy);
  }

  #inputsOf({ inputs, results }: OnnxNode): Dependence[] {
    return [...inputs, ...results].map((input) => input && this.of(input));
  }

  #step(node: OnnxNode): Dependence {
    const { op, inputs } = node;
    if (readsShape(op) || isRandom(op)) return undefined;
    const dependences = this.#inputsOf(node);
    const first = inputs[0];
    if (first && isReduction(op) && dependences[0] === 'data' && this.#isOverBatch(node, first)) {
      this.#noteSquare(node, first);
      return { reductions: [node], root: undefined };
    }
    if (op === 'Mul' && this.#isZero(inputs, dependences)) {
      this.zeros.add(node);
      return undefined;
    }
    const all = union(dependences);
    if (all === 'data') this.#apply(node, dependences);
    if (all === 'data' || all === undefined) return all;
    return isRoot(node) ? { ...all, root: node } : all;
  }

  /** Whether one of two factors is zero. */
  #isZero(inputs: OnnxNode['inputs'], dependences: readonly Dependence[]): boolean {
    return inputs.some((input, i) => input && dependences[i] === undefined && this.#scalars.decide(input) === 0);
  }

  /** Notes which statistics an op applies to data. */
  #apply(node: OnnxNode, dependences: readonly Dependence[]): void {
    if (!isArithmetic(node.op)) return;
    const statistics = dependences.filter((each): each is Statistic => each !== 'data' && each !== undefined);
    for (const statistic of statistics) {
      if (node.op === 'Sub' && statistic.root === undefined) this.#centered.set(node, statistic.reductions);
      const key = statistic.root ?? node;
      if (this.#applied.has(key)) continue;
      this.#applied.add(key);
      this.normalisations.push({ node, statistic });
    }
  }

  #noteSquare(node: OnnxNode, input: Value): void {
    const squared = node.op === 'ReduceSumSquare' || node.op === 'ReduceL2' ? input : this.#squareRoot(input);
    if (!squared) return;
    this.squares.add(node);
    const center = this.#centerOf(squared);
    if (center) this.centers.set(node, center);
  }

  /** What a value is the square of, apart from factors that are no data. */
  #squareRoot(value: Value): Value | undefined {
    let at: Value | undefined = value;
    for (let hops = 0; at && hops < MAX_HOPS; hops++) {
      const { producer } = at as Value;
      if (!producer) return undefined;
      const { op, inputs } = producer;
      const [first, second] = inputs;
      if (op === 'Pow') return second && numberOfConstant(second) === 2 ? first : undefined;
      if (op === 'Mul' && first === second) return first;
      const factors = op === 'Mul' ? inputs.filter((input) => input && this.of(input) !== undefined) : [];
      at = movesElements(op) ? first : factors.length === 1 ? factors[0] : undefined;
    }
    return undefined;
  }

  #centerOf(value: Value): readonly OnnxNode[] | undefined {
    let { producer } = value;
    for (let hops = 0; producer && hops < MAX_HOPS && movesElements(producer.op); hops++)
      producer = producer.inputs[0]?.producer;
    return producer && this.#centered.get(producer);
  }

  /** Whether a reduction is over the first axis and not over all. */
  #isOverBatch(node: OnnxNode, input: Value): boolean {
    const axes = axesOf(node);
    if (axes.length === 0 || this.isOfOneExample(input)) return false;
    const rank = this.#rankOf(input);
    const positive = axes.map((axis) => (axis < 0 && rank !== undefined ? axis + rank : axis));
    return positive.includes(0) && new Set(positive).size !== rank;
  }

  /** Whether the first dimension of a tensor is 1: by its shape, or by a Reshape. */
  isOfOneExample(value: Value): boolean {
    let at: Value | undefined = value;
    for (let hops = 0; at && hops < MAX_HOPS; hops++) {
      const { producer, name } = at as Value;
      if (!producer) return this.#data.get(name)?.[0] === 1;
      const { op, inputs } = producer;
      if (op === 'Reshape') return startsWithOne(inputs[1]);
      const keeps = op === 'Transpose' ? producer.ints('perm')?.[0] === 0 : keepsFirstSize(op);
      at = keeps ? inputs[0] : undefined;
    }
    return false;
  }

  #rankOf(value: Value): number | undefined {
    let at: Value | undefined = value;
    for (let hops = 0; at && hops < MAX_HOPS; hops++) {
      const { producer, name } = at as Value;
      if (!producer) return this.#data.get(name)?.length;
      const kernel = isConvolution(producer.op) ? producer.inputs[1] : undefined;
      if (kernel) return sourceOfConstant(kernel)?.proto.dims?.length;
      if (producer.op === 'Transpose') return producer.ints('perm')?.length;
      if (producer.op === 'Gemm') return 2;
      at = keepsRank(producer.op) ? producer.inputs[0] : undefined;
    }
    return undefined;
  }
}

/** What is computed from several tensors depends on. */
function union(dependences: readonly Dependence[]): Dependence {
  const statistics: Statistic[] = [];
  for (const each of dependences) {
    if (each === 'data') return 'data';
    if (each) statistics.push(each);
  }
  const [first, ...others] = statistics;
  if (!first || others.length === 0) return first;
  const reductions = new Set(statistics.flatMap((each) => each.reductions));
  return {
    reductions: [...reductions].slice(0, MAX_REDUCTIONS),
    root: statistics.find(({ root }) => root)?.root,
  };
}

/** Takes a root: Sqrt, or a power that is no whole number. */
function isRoot({ op, inputs }: OnnxNode): boolean {
  if (op === 'Sqrt') return true;
  const exponent = op === 'Pow' && inputs[1] ? numberOfConstant(inputs[1]) : undefined;
  return exponent !== undefined && !Number.isInteger(exponent);
}

/** Whether a shape begins with 1: a constant, or a Concat of parts. */
export function startsWithOne(shape: Value | undefined): boolean {
  const first = shape?.producer?.op === 'Concat' ? shape.producer.inputs[0] : shape;
  const constant = first && constantOf(first, () => undefined);
  return constant !== undefined && 'tensor' in constant && readNumbers(constant.tensor)[0] === 1;
}

/** The axes of a reduction: an attribute, or an input since opset 13 or 18; empty for all. */
function axesOf(node: OnnxNode): readonly number[] {
  const axes = node.ints('axes');
  if (axes) return axes;
  const [, input] = node.inputs;
  const constant = input && constantOf(input, () => undefined);
  return constant && 'tensor' in constant ? [...readNumbers(constant.tensor)] : [];
}
