import { numberOfConstant } from './constants.js';
import { DECIDED_BY, isComparison, keepsElements, SCALAR_FUNCTIONS } from './ops.js';
import type { Value } from './scope.js';

/** An expression of a condition or a rate is not deeper. */
const MAX_DEPTH = 50;

/** The number that a scalar is; without one, the inputs of the model that it depends on. */
interface Scalar {
  readonly number?: number | undefined;
  readonly inputs: ReadonlySet<string>;
}

const NO_INPUTS: ReadonlySet<string> = new Set();
const UNKNOWN: Scalar = { inputs: NO_INPUTS };

/** Evaluates scalar expressions: conditions and rates, with some inputs of the model set to values. */
export class Scalars {
  readonly #set: ReadonlyMap<string, number>;
  /** The inputs of the model that are scalars. */
  readonly inputs: ReadonlySet<string>;
  readonly #known = new Map<Value, Scalar>();
  /** Inputs that would have decided something if they had a value. */
  readonly undecided = new Set<string>();
  /** The numbers that inputs without a value are compared with: 0 may be training, 1 evaluation and 2 prediction. */
  readonly compared = new Map<string, Set<number>>();

  /**
   * @param inputs - the inputs of the model that are scalars
   * @param set - the values of some of them
   */
  constructor(inputs: ReadonlySet<string>, set: ReadonlyMap<string, number>) {
    this.inputs = inputs;
    this.#set = set;
  }

  /** The number that a value is; undefined if it depends on data, or on inputs that are not set, which are noted. */
  decide(value: Value): number | undefined {
    const { number, inputs } = this.#scalar(value, 0);
    if (number === undefined) for (const name of inputs) this.undecided.add(name);
    return number;
  }

  #scalar(value: Value, depth: number): Scalar {
    const known = this.#known.get(value);
    if (known) return known;
    if (depth > MAX_DEPTH) return UNKNOWN;
    const scalar = this.#compute(value, depth);
    this.#known.set(value, scalar);
    return scalar;
  }

  #compute(value: Value, depth: number): Scalar {
    const { producer } = value;
    if (!producer) return this.#leaf(value);
    if (producer.domain !== '') return UNKNOWN;
    const { op, inputs } = producer;
    if (op === 'Constant') return constant(value);
    const isSame = keepsElements(op);
    const compute = isSame ? (first = 0) => first : SCALAR_FUNCTIONS.get(op);
    const operands = isSame ? inputs.slice(0, 1) : inputs;
    if (!compute || operands.length === 0) return UNKNOWN;
    const scalars = operands.map((operand) => (operand ? this.#scalar(operand, depth + 1) : UNKNOWN));
    const numbers = scalars.flatMap(({ number }) => (number === undefined ? [] : [number]));
    if (numbers.length === scalars.length) return { number: compute(...numbers), inputs: NO_INPUTS };
    const decided = DECIDED_BY.get(op);
    if (decided && numbers.some((number) => decided.by(number))) return { number: decided.result, inputs: NO_INPUTS };
    const asked = new Set(scalars.flatMap((scalar) => [...scalar.inputs]));
    if (isComparison(op)) for (const number of numbers) this.#noteComparison(asked, number);
    return { inputs: asked };
  }

  #noteComparison(asked: ReadonlySet<string>, number: number): void {
    for (const name of asked) this.compared.set(name, (this.compared.get(name) ?? new Set()).add(number));
  }

  #leaf(value: Value): Scalar {
    const { name, initializer, passedBy } = value;
    if (passedBy || !this.inputs.has(name)) return initializer ? constant(value) : UNKNOWN;
    const number = this.#set.get(name);
    return number === undefined ? { inputs: new Set([name]) } : { number, inputs: NO_INPUTS };
  }
}

function constant(value: Value): Scalar {
  return { number: numberOfConstant(value), inputs: NO_INPUTS };
}
