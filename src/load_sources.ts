/// <reference lib="esnext.disposable" preserve="true" />
import { checkOptions } from './check_options.js';
import { BnfixError } from './errors.js';
import type { Graph } from './graph/graph.js';
import type { Model } from './graph/model.js';
import { type ByteSource, MemorySource } from './io/source.js';
import { refuseInvalidGraph } from './ops/valid_graph.js';
import { type OpenCheckpoint, openCheckpoint } from './readers/checkpoint/checkpoint.js';
import { objectKeys } from './readers/checkpoint/object_graph.js';
import type { CheckpointFiles, OpenSource } from './readers/checkpoint/reader.js';
import { readGraphDef } from './readers/graph_def.js';
import { type MetaGraph, readMetaGraph, readSavedModel } from './readers/meta_graph.js';
import { explainWrongKind, graphKindOf, sniff } from './readers/sniff.js';

/** The contents of a file: in memory, or read by position. */
export type FileContents = Uint8Array | ByteSource;

/** The files of a checkpoint. */
export interface CheckpointSources {
  /** The .index file of a V2 checkpoint; the only file, or the first shard, of a V1 checkpoint. */
  readonly index: FileContents;
  /** The data files of a V2 checkpoint in the order of their numbers; the other shards of a V1 checkpoint. */
  readonly data?: readonly FileContents[];
}

/** The files of a model. */
export interface ModelSources {
  /** A .meta, a GraphDef or a saved_model.pb, in binary or text form. */
  readonly graph: FileContents;
  readonly checkpoint?: CheckpointSources;
  /** The training graph (.meta) of an already frozen model: shows which statistics belong to which batch norm. */
  readonly reference?: FileContents;
}

/** Options of {@link loadSources}. */
export interface SourceOptions {
  /** Tags of the graph in a SavedModel, separated by commas. */
  readonly tag?: string;
}

/** A model with its files open. Close it after writing the result, which reads the weights. */
export interface LoadedModel extends Model {
  readonly checkpoint: OpenCheckpoint | undefined;
  /** Names of all files it consists of, also those that are read later: a result must not overwrite them. */
  readonly files: readonly string[];
  /** Closes its files. */
  close(): void;
  /** The same as {@link close}: `using model = await load(...)` closes it at the end of the block. */
  [Symbol.dispose](): void;
}

/** Files of a model: open, or with a function that opens them. */
export interface OpenedFiles {
  readonly graph: ByteSource;
  readonly checkpoint?: { readonly files: CheckpointFiles; readonly open: OpenSource } | undefined;
  readonly reference?: ByteSource | undefined;
  /** The error for a graph that needs a checkpoint, if none was found. */
  readonly searchCheckpoint?: Model['searchCheckpoint'];
}

/**
 * Loads a model from the contents of its files. Weights are not read yet.
 *
 * @param model - the contents of the file with the graph, or of all files
 * @throws BnfixError `unreadable` when a file is of the wrong type, truncated or corrupt; `usage` when a SavedModel has
 *   several graphs and no `tag` chooses one
 */
export async function loadSources(model: Uint8Array | ModelSources, options: SourceOptions = {}): Promise<LoadedModel> {
  checkOptions('load', options, { tag: 'string' });
  if (typeof model !== 'object' || model === null) {
    throw new BnfixError('usage', `load takes bytes or { graph, checkpoint }, not ${String(model)}`);
  }
  const { graph, checkpoint, reference } = isBytes(model) ? { graph: model } : model;
  return loadOpened(
    {
      graph: sourceOf(graph, 'graph'),
      checkpoint: checkpoint && checkpointOf(checkpoint),
      reference: reference && sourceOf(reference, 'reference'),
    },
    options.tag,
  );
}

function sourceOf(contents: FileContents, name: string): ByteSource {
  if (!isBytes(contents)) {
    if (typeof contents?.readInto === 'function') return contents;
    throw new BnfixError('usage', `the ${name} is neither bytes nor a source of bytes`, {
      fix: 'give a Uint8Array, or an object with name, size, read, readInto and close',
    });
  }
  return new MemorySource(new Uint8Array(contents.buffer, contents.byteOffset, contents.byteLength), name);
}

/** Also accepts bytes of another realm (an iframe), which are not an instance of this realm's Uint8Array. */
function isBytes(contents: object): contents is Uint8Array {
  return ArrayBuffer.isView(contents);
}

/** Names the files of a checkpoint as TensorFlow does, after its index. */
function checkpointOf({ index, data = [] }: CheckpointSources): OpenedFiles['checkpoint'] {
  const source = sourceOf(index, 'checkpoint.index');
  const prefix = source.name.replace(/(\.index|-00000-of-\d{5})$/, '');
  const isV1 = sniff(source) === 'checkpoint_v1';
  const shards = `-00000-of-${String(data.length + 1).padStart(5, '0')}`;
  const name = !isV1 ? source.name : data.length === 0 ? prefix : prefix + shards;
  const open = (path: string): ByteSource => {
    if (path === name) return renamed(source, name);
    const number = Number(/-(\d{5})-of-\d{5}$/.exec(path)?.[1]) - (isV1 ? 1 : 0);
    const contents = data[number];
    if (contents !== undefined) return renamed(sourceOf(contents, path), path);
    throw new BnfixError('unreadable', `${path} is missing`, {
      option: 'checkpoint',
      why: `the index names it, and checkpoint.data has ${data.length} ${data.length === 1 ? 'file' : 'files'}`,
      fix: `give its contents as checkpoint.data[${number}]`,
    });
  };
  return { files: { format: isV1 ? 'V1' : 'V2', prefix, index: name }, open };
}

/** A source with its file name in the checkpoint. */
function renamed(source: ByteSource, name: string): ByteSource {
  if (source.name === name) return source;
  return {
    name,
    size: source.size,
    read: (offset, length) => source.read(offset, length),
    readInto: (target, offset) => source.readInto(target, offset),
    close: () => source.close(),
  };
}

/** Loads a model from its opened files; they are closed on failure, and by the model's `close`. */
export async function loadOpened(files: OpenedFiles, tag: string | undefined): Promise<LoadedModel> {
  const { graph: source, reference: referenceSource } = files;
  let checkpoint: OpenCheckpoint | undefined;
  const close = () => {
    source.close();
    referenceSource?.close();
    checkpoint?.close();
  };
  try {
    refuseBigEndian();
    const { kind, graph, metaGraphDef } = await readGraph(source, tag);
    refuseInvalidGraph(graph);
    checkpoint = files.checkpoint && openCheckpoint(files.checkpoint.files, files.checkpoint.open);
    const reference = referenceSource && (await readReference(referenceSource, graph));
    return {
      name: source.name,
      kind,
      graph,
      metaGraphDef,
      checkpoint,
      searchCheckpoint: checkpoint ? undefined : files.searchCheckpoint,
      byteLength: source.size,
      objectKeys: checkpoint && objectKeys(checkpoint),
      files: namesOf(source, referenceSource, checkpoint, files.checkpoint?.files.state),
      reference,
      close,
      [DISPOSE]: close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

function namesOf(
  graph: ByteSource,
  reference: ByteSource | undefined,
  checkpoint: OpenCheckpoint | undefined,
  state: string | undefined,
): string[] {
  const names = [graph.name, reference?.name, state, ...(checkpoint?.files ?? [])];
  return names.filter((name) => name !== undefined);
}

/** Older browsers have no Symbol.dispose; TypeScript's helper for `using` falls back to this name. */
const DISPOSE: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for('Symbol.dispose');

/** Numbers are read without byte swapping, and the files are little-endian. */
function refuseBigEndian(): void {
  const [low] = new Uint8Array(Uint16Array.of(1).buffer);
  if (low !== 1) throw new BnfixError('unsupported', 'bnfix runs on little-endian machines only');
}

async function readReference(source: ByteSource, model: Graph): Promise<MetaGraph> {
  const reference = await readGraph(source, undefined);
  refuseInvalidGraph(reference.graph);
  refuseUnrelated(reference.graph, source.name, model);
  return reference;
}

/** Batch norms are matched by name: a reference that shares no name with the model is useless. */
function refuseUnrelated(reference: Graph, name: string, model: Graph): void {
  for (const node of reference.nodes()) if (model.has(node.name)) return;
  throw new BnfixError('usage', `${name} is not the training graph of this model: they share no node name`, {
    where: name,
    why: `it has ${reference.size} nodes, the model ${model.size}, and batch norms are matched by name`,
    option: 'reference',
    fix: 'give the .meta that was saved when this model was trained',
  });
}

/** A graph, and the type of the file that it was read from. */
interface ReadGraph extends MetaGraph {
  readonly kind: NonNullable<Model['kind']>;
}

async function readGraph(source: ByteSource, tag: string | undefined): Promise<ReadGraph> {
  const kind = sniff(source);
  const graphKind = graphKindOf(kind);
  if (tag !== undefined && graphKind !== undefined && graphKind !== 'saved_model' && graphKind !== 'saved_model_text') {
    throw new BnfixError('usage', `${source.name} has no tags: it is not a SavedModel`, {
      option: 'tag',
      fix: 'leave the option out',
    });
  }
  switch (graphKind) {
    case 'graph_def':
      return { kind: 'graph_def', graph: readGraphDef(source), metaGraphDef: {} };
    case 'graph_text':
      return { kind: 'graph_def', graph: readGraphDef(await binaryOf(source, 'GraphDef')), metaGraphDef: {} };
    case 'meta_graph':
      return { kind: 'meta_graph', ...readMetaGraph(source) };
    case 'meta_graph_text':
      return { kind: 'meta_graph', ...readMetaGraph(await binaryOf(source, 'MetaGraphDef')) };
    case 'saved_model':
      return { kind: 'saved_model', ...taggedGraph(readSavedModel(source), source.name, tag) };
    case 'saved_model_text': {
      const graphs = readSavedModel(await binaryOf(source, 'SavedModel'));
      return { kind: 'saved_model', ...taggedGraph(graphs, source.name, tag) };
    }
    case undefined:
      throw explainWrongKind(kind, source.name);
  }
}

async function binaryOf(source: ByteSource, message: 'GraphDef' | 'MetaGraphDef' | 'SavedModel'): Promise<ByteSource> {
  const { textToBinary } = await import('./readers/text.js');
  return textToBinary(source, message);
}

/** The graph with exactly these tags; without tags, the one tagged `serve`, or the only one. */
function taggedGraph(graphs: readonly MetaGraph[], name: string, tag: string | undefined): MetaGraph {
  const tags = ({ metaGraphDef }: MetaGraph) => [...(metaGraphDef.meta_info_def?.tags ?? [])].sort().join(',');
  const wanted = tag?.split(',').sort().join(',');
  const serving = graphs.filter((graph) => tags(graph).split(',').includes('serve'));
  const found =
    wanted === undefined
      ? (graphs.find((graph) => tags(graph) === 'serve') ??
        (serving.length === 1 ? serving[0] : graphs.length === 1 ? graphs[0] : undefined))
      : graphs.find((graph) => tags(graph) === wanted);
  if (found) return found;
  throw new BnfixError(
    graphs.length === 0 ? 'unreadable' : 'usage',
    wanted === undefined ? 'cannot choose a graph of the SavedModel' : `no graph is tagged ${tag}`,
    {
      where: name,
      why: `it holds ${graphs.length} ${graphs.length === 1 ? 'graph' : 'graphs'}`,
      fix:
        graphs.length === 0
          ? 'export the SavedModel again'
          : graphs.map((graph) => ({ option: 'tag', value: tags(graph) })),
    },
  );
}
