import type { Format } from '../format.js';
import { checkpointFiles, encodeMetaGraph } from './meta_graph.js';

/** A MetaGraphDef with variables, and a V2 checkpoint with their values, as tf.train.Saver writes them. */
export const META: Format = {
  name: 'meta',
  target: 'prefix',
  main: '.meta',
  isOwn: (path) => /^\.(meta|index|data-\d{5}-of-\d{5})$/.test(path),
  encode: async (result) => {
    const { metaGraph, checkpoint } = encodeMetaGraph(result, []);
    return [...checkpointFiles(checkpoint, ''), { path: '.meta', encoded: metaGraph }];
  },
};
