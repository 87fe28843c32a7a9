import type { Tensor } from '@tensorflow/tfjs-core';
import { didYouMean } from '../did_you_mean.js';
import { BnfixError } from '../errors.js';
import { attrShape, attrType } from '../graph/attrs.js';
import { type DataType, dtypeName } from '../graph/dtype.js';
import type { Graph } from '../graph/graph.js';
import { parseInput, refText, type TensorRef } from '../graph/node.js';
import { ancestors } from '../graph/walk.js';
import { FunctionLibrary } from '../ops/functions.js';
import { anyOf } from '../ops/meaning.js';
import { outputCount, outputType } from '../ops/registry.js';
import { inlineCalls } from './functions.js';
import { registerKernels } from './kernels.js';
import { lower, loweredFunctions } from './lower.js';
import { type Feed, type Prepared, prepare } from './prepare.js';
import { fromTfjs, type Tfjs, toTfjs } from './tfjs.js';
import { artifactsOf } from './topology.js';
import type { TensorValue, TensorValues } from './value.js';
import { estimatedWork } from './work.js';

/**
 * Runs a frozen graph on the CPU with TensorFlow.js, which is loaded at the first call.
 *
 * It computes in float32 and int32: float64, float16 and bfloat16 are rounded to float32, int64 and the other integers
 * to int32 (a larger one in a constant becomes the nearest int32, in a feed it is an error). Results have the dtype
 * that the graph declares. FusedBatchNorm in training mode normalises by batch statistics, as TensorFlow does.
 *
 * @param graph - a graph without variables; it is not changed
 * @param feeds - values by tensor (`name`, `name:0`): placeholders, or any other tensor to replace
 * @param fetches - tensors to evaluate (`name`, `name:0`)
 * @returns values by the names in `fetches`
 * @example
 * import { fold, load, runGraph, tensorValue } from 'bnfix';
 * const model = await load('model.meta');
 * const image = tensorValue('float32', [1, 8, 8, 3], new Float32Array(192));
 * const outputs = await runGraph(fold(model).graph, { 'input/image_input': image }, ['output/image_output']);
 * outputs['output/image_output'].data.length; // 192
 * model.close();
 * @throws BnfixError `usage` for unknown tensors, missing or misshaped feeds; `unsupported` for an op that TensorFlow.js
 *   cannot run
 */
export async function runGraph(
  graph: Graph,
  feeds: TensorValues,
  fetches: readonly string[],
): Promise<Record<string, TensorValue>> {
  const given = Object.entries(feeds).map(([name, value]) => ({ ...checkedFeed(graph, name, value), value }));
  const wanted = fetches.map((name) => tensorRef(graph, name));
  const library = new FunctionLibrary(graph);
  const prepared = prepare(graph.copy(), given, wanted);
  refuseTables(prepared);
  inlineCalls(prepared.graph, library);
  const functions = loweredFunctions(prepared.graph, library);
  lower(prepared.graph);
  const artifacts = artifactsOf(prepared.graph, functions);
  const tfjs = await loadTfjs();
  const work = estimatedWork(
    prepared.graph,
    given.map(({ value }) => value),
  );
  return onBackend(tfjs, work > WASM_FROM, async () => {
    const inputs: Record<string, Tensor> = {};
    let outputs: Tensor[] = [];
    const model = await tfjs.converter.loadGraphModel(tfjs.core.io.fromMemory(artifacts));
    try {
      prepared.feeds.forEach((name, i) => {
        const { value, dtype, ref } = given[i]!;
        if (name !== undefined) inputs[name] = toTfjs(tfjs, value, dtype, refText(ref));
      });
      const isAsync = [...prepared.graph.nodes()].some(isDynamic);
      const run = isAsync ? model.executeAsync.bind(model) : model.execute.bind(model);
      const result = await run(inputs, [...prepared.fetches]);
      outputs = Array.isArray(result) ? result : [result];
      const values: Record<string, TensorValue> = {};
      for (const [i, name] of fetches.entries()) {
        values[name] = await fromTfjs(outputs[i]!, typeOf(graph, wanted[i]!));
      }
      return values;
    } catch (cause) {
      throw explained(prepared.graph, cause);
    } finally {
      tfjs.core.dispose([...outputs, ...Object.values(inputs)]);
      model.dispose();
    }
  });
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

function tensorRef(graph: Graph, name: string): TensorRef {
  const { node, port } = parseInput(name);
  const found = graph.find(node);
  const count = (found && outputCount(found)) ?? Number.POSITIVE_INFINITY;
  if (port !== undefined && found && port < count) return { node, port };
  const names = () => [...graph.nodes()].map((other) => other.name);
  throw new BnfixError('usage', `tensor ${name} not found in the graph`, {
    where: name,
    fix: found ? undefined : didYouMean(node, names()),
  });
}

function typeOf(graph: Graph, ref: TensorRef): DataType | undefined {
  const node = graph.get(ref.node);
  return outputType(node, ref.port) ?? attrType(node, 'T');
}

function checkedFeed(graph: Graph, name: string, value: TensorValue): Feed {
  const ref = tensorRef(graph, name);
  const dtype = typeOf(graph, ref);
  if (dtype === undefined || dtypeName(dtype) !== value.dtype) {
    const declared = dtype === undefined ? 'of unknown dtype' : dtypeName(dtype);
    throw new BnfixError('usage', `${name} is ${declared}, but its value is ${value.dtype}`, { where: name });
  }
  const shape = attrShape(graph.get(ref.node), 'shape');
  const isPlaceholder = graph.get(ref.node).op.startsWith('Placeholder');
  // Before TensorFlow 1.0, [] meant a placeholder of any shape.
  if (isPlaceholder && shape && shape.length > 0 && !fits(value.shape, shape)) {
    const text = shape.map((size) => (size < 0 ? '?' : size)).join(',');
    throw new BnfixError('usage', `${name} is [${text}], but its value is [${value.shape.join(',')}]`, { where: name });
  }
  return { ref, dtype };
}

function fits(shape: readonly number[], pattern: readonly number[]): boolean {
  return shape.length === pattern.length && pattern.every((size, i) => size < 0 || size === shape[i]);
}

/**
 * From how many multiplications on WebAssembly is faster, although it takes a tenth of a second to start: measured with convolutions,
 * of which the JavaScript backend computes 130 million a second, and the other one 3.5 billion.
 */
const WASM_FROM = 50e6;

let loading: Promise<Tfjs> | undefined;

/** Loads TensorFlow.js on demand: it takes most of a second, and most commands do not need it. */
function loadTfjs(): Promise<Tfjs> {
  loading ??= (async () => {
    const { converter, core } = await import('./tfjs_bundle.js');
    const tfjs: Tfjs = { core, converter };
    registerKernels(tfjs);
    return tfjs;
  })();
  return loading;
}

let last: Promise<unknown> = Promise.resolve();

/**
 * Computes on the CPU without the banner of TensorFlow.js, one run at a time, and restores the settings of the process.
 * @param isHeavy - whether to compute in WebAssembly, as far as it has the kernels
 */
function onBackend<T>(tfjs: Tfjs, isHeavy: boolean, run: () => Promise<T>): Promise<T> {
  const { core } = tfjs;
  const next = last.then(async () => {
    const environment = core.env();
    const isProduction = environment.getBool('PROD');
    const backend = core.getBackend();
    environment.set('PROD', true);
    try {
      if (isHeavy && (await useWasm(core))) {
        try {
          return await run();
        } catch {
          // It lacks kernels and dtypes; the other backend says what is wrong.
        }
      }
      await core.setBackend('cpu');
      return await run();
    } finally {
      environment.set('PROD', isProduction);
      if (backend && backend !== core.getBackend()) await core.setBackend(backend);
    }
  });
  last = next.catch(() => undefined);
  return next;
}

/** Whether the backend in WebAssembly could be started; it takes a tenth of a second. */
async function useWasm(core: Tfjs['core']): Promise<boolean> {
  await import('./wasm_bundle.js');
  return core.setBackend('wasm');
}

/** An error of TensorFlow.js in terms of the graph. */
function explained(graph: Graph, cause: unknown): BnfixError {
  if (cause instanceof BnfixError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  const op = /^Unknown op '([^']+)'/.exec(message)?.[1];
  if (op === undefined) {
    return new BnfixError('unsupported', 'TensorFlow.js cannot run the graph', { why: message, cause });
  }
  const node = [...graph.nodes()].find((other) => other.op === op);
  return new BnfixError('unsupported', `TensorFlow.js has no op ${op}`, {
    where: node?.name,
    why: 'the graph may still be valid: TensorFlow has more ops',
    cause,
  });
}
