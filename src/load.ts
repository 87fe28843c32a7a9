import { BnfixError } from './errors.js';
import type { Model } from './graph/model.js';
import { FileSource } from './io/source.js';
import { type Checkpoint, openCheckpoint } from './readers/checkpoint/checkpoint.js';
import { readGraphDef } from './readers/graph_def.js';
import { locateModel, type ModelFiles } from './readers/locate.js';
import { type MetaGraph, readMetaGraph, readSavedModel } from './readers/meta_graph.js';
import { textToBinary } from './readers/text.js';

/** What can be said to {@link load}. */
export interface LoadOptions {
  /** The checkpoint, where it is not the one beside the graph: prefix, .index, directory or `checkpoint` file. */
  readonly checkpoint?: string;
}

/** A model with its files open. Close it when the result has been written: weights are read at that time. */
export interface LoadedModel extends Model {
  readonly weights: Checkpoint | undefined;
  close(): void;
}

/**
 * Loads a model: the .meta, .index, .data-*, prefix, `checkpoint` file, its directory, a GraphDef (.pb, .pbtxt) or a
 * SavedModel, told apart by content. Weights are not read yet.
 *
 * @throws BnfixError `unreadable` when a file is missing, of another kind, truncated or corrupt; `usage` when it is not
 *   clear which of several models is meant
 */
export async function load(path: string, options: LoadOptions = {}): Promise<LoadedModel> {
  const files = locateModel(path, options);
  const source = new FileSource(files.graph);
  let weights: Checkpoint | undefined;
  try {
    const { graph, meta } = readGraph(source, files.graphKind);
    weights = files.checkpoint && openCheckpoint(files.checkpoint);
    const close = () => {
      source.close();
      weights?.close();
    };
    return { name: files.graph, graph, meta, weights, byteLength: source.size, close };
  } catch (error) {
    source.close();
    weights?.close();
    throw error;
  }
}

function readGraph(source: FileSource, kind: ModelFiles['graphKind']): MetaGraph {
  switch (kind) {
    case 'graph_def':
      return { graph: readGraphDef(source), meta: {} };
    case 'graph_text':
      return { graph: readGraphDef(textToBinary(source, 'GraphDef')), meta: {} };
    case 'meta_graph':
      return readMetaGraph(source);
    case 'meta_graph_text':
      return readMetaGraph(textToBinary(source, 'MetaGraphDef'));
    case 'saved_model':
      return onlyGraph(readSavedModel(source), source.name);
    case 'saved_model_text':
      return onlyGraph(readSavedModel(textToBinary(source, 'SavedModel')), source.name);
  }
}

/** The graph that is tagged for serving, or the only one. */
function onlyGraph(graphs: readonly MetaGraph[], name: string): MetaGraph {
  const tags = (graph: MetaGraph) => graph.meta.meta_info_def?.tags ?? [];
  const graph = graphs.find((each) => tags(each).includes('serve')) ?? graphs[0];
  if (!graph) {
    throw new BnfixError('unreadable', `${name} holds no graph`, { where: name, fix: 'export the SavedModel again' });
  }
  return graph;
}
