import { tensorflow } from '../../proto/tensorflow.js';
import type { Format } from '../format.js';
import { around, checkpointFiles, encodeMetaGraph } from '../meta/meta_graph.js';

/** The tag of a graph that serves. */
const TAG = 'serve';
/** The only version of the format. */
const SCHEMA_VERSION = 1;
/** Tag of the field meta_graphs of a SavedModel. */
const META_GRAPHS = (2 << 3) | 2;

/** A SavedModel as TensorFlow 1 writes it: TensorFlow 2 loads it as well. Its variables are in a V2 checkpoint. */
export const SAVED_MODEL: Format = {
  name: 'saved_model',
  target: 'folder',
  main: 'saved_model.pb',
  isOwn: (path) => /^(saved_model\.pb|variables\/(variables\.(index|data-\d{5}-of-\d{5}))?)$/.test(path),
  encode: async (result) => {
    const { metaGraph, checkpoint } = encodeMetaGraph(result, [TAG]);
    const head = tensorflow.SavedModel.encode({ saved_model_schema_version: SCHEMA_VERSION })
      .uint32(META_GRAPHS)
      .uint32(metaGraph.byteLength)
      .finish();
    return [
      ...checkpointFiles(checkpoint, 'variables/variables'),
      { path: 'saved_model.pb', encoded: around(head, metaGraph, new Uint8Array()) },
    ];
  },
};
