import type { Graph } from '../../src/graph/graph.js';
import type { Checkpoint, Model } from '../../src/graph/model.js';

/** A graph as a model that was not read from a file, with the values of its variables where it has some. */
export function modelOf(graph: Graph, checkpoint?: Checkpoint): Model {
  return { name: 'graph.pb', graph, metaGraphDef: {}, checkpoint, byteLength: 0 };
}
