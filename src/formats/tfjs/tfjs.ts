import type { Graph } from '../../graph/graph.js';
import { refText } from '../../graph/node.js';
import { topologicalOrder } from '../../graph/walk.js';
import { encodedText } from '../../writers/encoded.js';
import type { Format } from '../format.js';
import { signaturesOf } from '../signature.js';
import { refuseUnrunnable } from './check_runnable.js';
import { loweredGraph } from './lowered.js';
import { modelJson } from './model_json.js';
import { sharded } from './shards.js';
import { notQuantized, storedWeight } from './weights.js';

/** A graph model of TensorFlow.js: its graph as JSON, its constants in files of 4 MB. */
export const TFJS: Format = {
  name: 'tfjs',
  target: 'folder',
  main: 'model.json',
  isOwn: (path) => /^(model\.json|group\d+-shard\d+of\d+\.bin)$/.test(path),
  encode: async (result, { quantize }) => {
    const { report } = result;
    const { inputs, outputs: served } = signaturesOf(result, refText)[0]!;
    const { graph, functions, initializer, outputs } = loweredGraph(result.graph, served);
    const graphs = [graph, ...functions.map((fn) => fn.graph), ...(initializer ? [initializer] : [])];
    refuseUnrunnable(graphs);
    const weights = graphs.flatMap((each) => constantsOf(each).map((node) => storedWeight(each, node, quantize)));
    const shards = sharded(weights.map(({ bytes }) => bytes));
    const json = modelJson(
      { graph, functions, initializer },
      {
        tensorflow: report.model.tensorflow,
        signature: { inputs, outputs },
        weights: weights.map(({ entry }) => entry),
        paths: shards.map(({ path }) => path),
      },
    );
    const notes = quantize === undefined ? [] : notQuantized(weights);
    return [...shards, { path: 'model.json', encoded: { ...encodedText(JSON.stringify(json)), notes } }];
  },
};

function constantsOf(graph: Graph) {
  return topologicalOrder(graph).filter(({ op }) => op === 'Const');
}
