import type { Graph } from '../graph/graph.js';
import { parseInput } from '../graph/node.js';
import { Runner, type Visitor } from '../run/runner.js';
import type { TensorValues } from '../run/value.js';
import type { Sample } from './samples.js';

/** About how many runs of a graph a verification takes, whichever graph it is: the backend starts once. */
const RUNS = 8;

/** A graph of a verification, which is loaded once. */
export class Evaluated {
  readonly graph: Graph;
  readonly #inputs: readonly Sample[];
  readonly #outputs: readonly string[];
  readonly #tensors: readonly string[];
  #runner: Runner | undefined;
  #known: Promise<TensorValues> | undefined;

  /**
   * @param inputs - its values; those that it does not need are left out
   * @param outputs - as `name:port`
   * @param others - tensors that are fetched as well, as far as the graph has them
   */
  constructor(graph: Graph, inputs: readonly Sample[], outputs: readonly string[], others: readonly string[]) {
    this.graph = graph;
    this.#inputs = inputs;
    this.#outputs = outputs;
    this.#tensors = [...outputs, ...others.filter((name) => this.has(name))];
  }

  /** Its inputs. */
  get inputs(): readonly Sample[] {
    return this.#inputs;
  }

  /** Whether the graph has a tensor. */
  has(name: string): boolean {
    return this.graph.has(parseInput(name).node);
  }

  /** What the graph outputs: several proofs need it, and it is run once. */
  outputs(): Promise<TensorValues> {
    this.#known ??= this.run(this.#inputs, this.#outputs);
    return this.#known;
  }

  /** The values of tensors for given inputs. */
  run(inputs: readonly Sample[], tensors: readonly string[]): Promise<TensorValues> {
    return this.#loaded().run(this.#valuesOf(inputs), tensors);
  }

  /** Hands tensors over as they are computed: see {@link Runner.visit}. */
  visit(tensors: readonly string[], begin: () => Visitor): Promise<void> {
    return this.#loaded().visit(this.#valuesOf(this.#inputs), tensors, begin);
  }

  #loaded(): Runner {
    this.#runner ??= new Runner(this.graph, Object.keys(this.#valuesOf(this.#inputs)), this.#tensors, { times: RUNS });
    return this.#runner;
  }

  #valuesOf(inputs: readonly Sample[]): TensorValues {
    return Object.fromEntries(inputs.filter(({ name }) => this.has(name)).map(({ name, value }) => [name, value]));
  }

  /** Frees the memory of its weights. */
  close(): void {
    this.#runner?.close();
    this.#runner = undefined;
  }
}
