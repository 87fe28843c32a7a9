import type { GraphModel } from '@tensorflow/tfjs-converter';
import type { NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import { BnfixError } from '../errors.js';
import type { Graph } from '../graph/graph.js';
import { refText, type TensorRef } from '../graph/node.js';
import { ancestors } from '../graph/walk.js';
import { FunctionLibrary } from '../ops/functions.js';
import { anyOf } from '../ops/meaning.js';
import { loadTfjs, onBackend } from './backend.js';
import { explained, isLasting } from './failure.js';
import { inlineCalls } from './functions.js';
import { lower, loweredFunctions } from './lower.js';
import { type Feed, type Prepared, prepare } from './prepare.js';
import { receiving } from './tap.js';
import { checkFeed, feedOf, tensorRef, typeOf } from './tensors.js';
import { fromTfjs, type Tfjs, toTfjs } from './tfjs.js';
import { artifactsOf, type LoweredFunction } from './topology.js';
import type { TensorValue, TensorValues } from './value.js';
import { type Backend, backendFor } from './work.js';

/** Receives a tensor, by the name that it was fetched with. */
export type Visitor = (name: string, value: TensorValue) => void;

/**
 * A frozen graph that is loaded into TensorFlow.js once, and run as often as wanted. See {@link runGraph} for what is computed.
 *
 * @throws BnfixError as `runGraph` does
 */
export class Runner {
  readonly #graph: Graph;
  readonly #feeds: readonly Feed[];
  readonly #wanted: ReadonlyMap<string, number>;
  readonly #refs: readonly TensorRef[];
  readonly #prepared: Prepared;
  readonly #functions: readonly LoweredFunction[];
  /** Only the asynchronous executor of TensorFlow.js runs control flow and ops whose output sizes depend on values. */
  readonly #isAsync: boolean;
  #model: GraphModel | undefined;
  readonly #backend: Backend | undefined;
  readonly #times: number;
  #needsCpu = false;

  /**
   * @param graph - a graph without variables; it is not changed
   * @param feeds - the tensors (`name`, `name:0`) that every run gives values for
   * @param fetches - the tensors that runs may fetch
   * @param options - `backend`: what computes, if it can; chosen for each run by its work otherwise, and by how often graphs like it are
   *   run (`times`)
   */
  constructor(
    graph: Graph,
    feeds: readonly string[],
    fetches: readonly string[],
    options: { readonly backend?: Backend; readonly times?: number } = {},
  ) {
    this.#graph = graph;
    this.#backend = options.backend;
    this.#times = options.times ?? 1;
    this.#feeds = feeds.map((name) => feedOf(graph, name));
    const names = [...new Set(fetches)];
    this.#wanted = new Map(names.map((name, index) => [name, index]));
    this.#refs = names.map((name) => tensorRef(graph, name));
    const library = new FunctionLibrary(graph);
    this.#prepared = prepare(graph.copy(), this.#feeds, this.#refs);
    refuseTables(this.#prepared);
    inlineCalls(this.#prepared.graph, library);
    this.#functions = loweredFunctions(this.#prepared.graph, library);
    lower(this.#prepared.graph);
    this.#isAsync = [...this.#prepared.graph.nodes()].some(isDynamic);
  }

  /** Runs the graph. @returns values by the names in `fetches` */
  async run(values: TensorValues, fetches: readonly string[]): Promise<Record<string, TensorValue>> {
    const results = new Map<string, TensorValue>();
    await this.visit(values, fetches, () => (name, value) => {
      results.set(name, value);
    });
    return Object.fromEntries(fetches.map((name) => [name, results.get(name)!]));
  }

  /**
   * Runs the graph, and hands each value over as soon as it is computed, so that not all of them have to be in memory at the same time.
   * @param begin - called at the start, and again if another backend has to be tried. What it returns is called for each of `fetches`,
   *   in the order of computation
   */
  async visit(values: TensorValues, fetches: readonly string[], begin: () => Visitor): Promise<void> {
    for (const feed of this.#feeds) checkFeed(this.#graph, feed, values[feed.name]!);
    const tfjs = await loadTfjs();
    const names = [...this.#wanted.keys()];
    const receiver = () => {
      const visit = begin();
      return (index: number, tensor: Tensor) =>
        visit(names[index]!, fromTfjs(tfjs, tensor, typeOf(this.#graph, this.#refs[index]!)));
    };
    const nodes = fetches.map((name) => this.#prepared.fetches[this.#wanted.get(name)!]!);
    if (nodes.length === 0) return;
    const compute = (backend: Backend) =>
      onBackend(tfjs, backend, () => receiving(receiver(), () => this.#compute(tfjs, values, nodes)));
    const given = this.#feeds.map(({ name }) => values[name]!);
    const backend = this.#backend ?? backendFor(this.#prepared.graph, given, this.#times);
    if (backend === 'wasm' && !this.#needsCpu) {
      try {
        return await compute('wasm');
      } catch (error) {
        if (!(error instanceof BackendError)) throw error;
        // It lacks kernels and dtypes; the other backend says what is wrong.
        this.#needsCpu = true;
      }
    }
    await compute('cpu').catch((error) => {
      throw error instanceof BackendError ? error.explained : error;
    });
  }

  async #compute(tfjs: Tfjs, values: TensorValues, nodes: readonly string[]): Promise<void> {
    const inputs: NamedTensorMap = {};
    try {
      this.#prepared.feeds.forEach((name, i) => {
        const { dtype, ref, name: given } = this.#feeds[i]!;
        if (name !== undefined) inputs[name] = toTfjs(tfjs, values[given]!, dtype!, refText(ref));
      });
      this.#model ??= await load(tfjs, this.#prepared.graph, this.#functions);
      const model = this.#model;
      const results =
        this.#isAsync && this.#isDynamic(nodes)
          ? await model.executeAsync(inputs, [...nodes])
          : model.execute(inputs, [...nodes]);
      tfjs.core.dispose(results);
    } catch (cause) {
      throw this.#failure(tfjs, inputs, cause);
    } finally {
      tfjs.core.dispose(inputs);
    }
  }

  /** Whether nodes need the asynchronous executor, which warns if it is used without need. */
  #isDynamic(nodes: readonly string[]): boolean {
    return [...ancestors(this.#prepared.graph, nodes)].some(isDynamic);
  }

  #failure(tfjs: Tfjs, inputs: NamedTensorMap, cause: unknown): Error {
    const model = this.#isAsync ? undefined : this.#model;
    const isLoaded = model !== undefined;
    const compute = (names: readonly string[]) => tfjs.core.dispose(model!.execute(inputs, [...names]));
    const explain = () => explained(this.#prepared.graph, cause, isLoaded ? compute : undefined);
    return isLasting(cause) ? explain() : new BackendError(tfjs.core.getBackend() === 'cpu' ? explain() : undefined);
  }

  /** Frees the memory of the weights. */
  close(): void {
    this.#model?.dispose();
    this.#model = undefined;
  }
}

/** A failure that depends on the backend. */
class BackendError extends Error {
  readonly explained: BnfixError | undefined;

  constructor(explained: BnfixError | undefined) {
    super('this backend cannot run the graph');
    this.explained = explained;
  }
}

function load(tfjs: Tfjs, graph: Graph, functions: readonly LoweredFunction[]): Promise<GraphModel> {
  return tfjs.converter.loadGraphModel(tfjs.core.io.fromMemory(artifactsOf(graph, functions)));
}

const isTable = anyOf('table');

/** TensorFlow.js ignores that a table is filled before it is read: it would look up default values. */
function refuseTables({ graph, fetches }: Prepared): void {
  const feeding = ancestors(graph, fetches, false);
  const table = [...graph.nodes()].find((node) => isTable(node) && feeding.has(node));
  if (!table) return;
  throw new BnfixError('unsupported', 'TensorFlow.js cannot run lookup tables in a frozen graph', {
    where: table.name,
  });
}

/** Ops that only the asynchronous executor of TensorFlow.js runs. */
const isDynamic = anyOf('switch', 'merge', 'enter', 'exit', 'next_iteration', 'if', 'while', 'dynamic_shape');
