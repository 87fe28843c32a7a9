import type { Graph } from '../graph/graph.js';
import { Runner } from './runner.js';
import type { TensorValue, TensorValues } from './value.js';

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
  const runner = new Runner(graph, Object.keys(feeds), fetches);
  try {
    return await runner.run(feeds, fetches);
  } finally {
    runner.close();
  }
}
