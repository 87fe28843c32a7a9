import { BnfixError } from './errors.js';
import type { Graph } from './graph/graph.js';
import type { Model } from './graph/model.js';
import { FileSource } from './io/source.js';
import { locateModel, type ModelFiles } from './locate/locate.js';
import { type OpenCheckpoint, openCheckpoint } from './readers/checkpoint/checkpoint.js';
import { objectKeys } from './readers/checkpoint/object_graph.js';
import { readGraphDef } from './readers/graph_def.js';
import { type MetaGraph, readMetaGraph, readSavedModel } from './readers/meta_graph.js';
import { textToBinary } from './readers/text.js';

/** What can be said to {@link load}. */
export interface LoadOptions {
  /** The checkpoint, where it is not the one beside the graph: prefix, .index, directory or `checkpoint` file. */
  readonly checkpoint?: string;
  /** Tags of the graph in a SavedModel, by comma. */
  readonly tag?: string;
  /** The training graph (.meta) of an already frozen model: shows which statistics belong to which batch norm. */
  readonly reference?: string;
}

/** A model with its files open. Close it when the result has been written: weights are read at that time. */
export interface LoadedModel extends Model {
  readonly checkpoint: OpenCheckpoint | undefined;
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
  refuseBigEndian();
  const files = locateModel(path, { checkpoint: options.checkpoint });
  const source = new FileSource(files.graph);
  let checkpoint: OpenCheckpoint | undefined;
  try {
    const { graph, meta } = readGraph(source, files.graphKind, options.tag);
    checkpoint = files.checkpoint && openCheckpoint(files.checkpoint);
    const reference = options.reference === undefined ? undefined : readReference(options.reference, graph);
    const close = () => {
      source.close();
      checkpoint?.close();
    };
    return {
      name: files.graph,
      graph,
      meta,
      checkpoint,
      byteLength: source.size,
      objectKeys: checkpoint && objectKeys(checkpoint),
      reference,
      close,
    };
  } catch (error) {
    source.close();
    checkpoint?.close();
    throw error;
  }
}

/** Numbers are read as they lie in the files, which are little-endian. */
function refuseBigEndian(): void {
  const [low] = new Uint8Array(Uint16Array.of(1).buffer);
  if (low !== 1) throw new BnfixError('unsupported', 'bnfix runs on little-endian machines only');
}

function readReference(path: string, model: Graph): MetaGraph {
  const files = locateModel(path);
  const source = new FileSource(files.graph);
  try {
    const reference = readGraph(source, files.graphKind, undefined);
    refuseUnrelated(reference.graph, files.graph, model);
    return reference;
  } finally {
    source.close();
  }
}

/** Batch norms are matched by name: a reference without any name of the model tells nothing about it. */
function refuseUnrelated(reference: Graph, name: string, model: Graph): void {
  for (const node of reference.nodes()) if (model.has(node.name)) return;
  throw new BnfixError('usage', `${name} is not the training graph of this model: they have no node name in common`, {
    where: name,
    why: `it has ${reference.size} nodes, the model ${model.size}, and batch norms are matched by name`,
    option: 'reference',
    fix: 'give the .meta that was saved when this model was trained',
  });
}

function readGraph(source: FileSource, kind: ModelFiles['graphKind'], tag: string | undefined): MetaGraph {
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
      return taggedGraph(readSavedModel(source), source.name, tag);
    case 'saved_model_text':
      return taggedGraph(readSavedModel(textToBinary(source, 'SavedModel')), source.name, tag);
  }
}

/** The graph with exactly these tags; without tags, the one for serving, or the only one. */
function taggedGraph(graphs: readonly MetaGraph[], name: string, tag: string | undefined): MetaGraph {
  const tags = (graph: MetaGraph) => [...(graph.meta.meta_info_def?.tags ?? [])].sort().join(',');
  const wanted = tag?.split(',').sort().join(',');
  const serving = graphs.filter((graph) => tags(graph).split(',').includes('serve'));
  const found =
    wanted === undefined
      ? (graphs.find((graph) => tags(graph) === 'serve') ??
        (serving.length === 1 ? serving[0] : graphs.length === 1 ? graphs[0] : undefined))
      : graphs.find((graph) => tags(graph) === wanted);
  if (found) return found;
  const sets = graphs.map((graph) => `--tag ${tags(graph)}`).join(', ');
  throw new BnfixError('usage', wanted === undefined ? 'which graph of the SavedModel?' : `no graph is tagged ${tag}`, {
    where: name,
    why: `it holds ${graphs.length} graphs`,
    fix: sets || 'export the SavedModel again',
  });
}
