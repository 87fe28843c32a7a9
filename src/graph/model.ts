import type { DataType } from './dtype.js';
import type { Graph } from './graph.js';
import type { MetaGraphDef } from './meta_graph_def.js';
import type { Tensor } from './tensor.js';

/** The extent of a part of a tensor in one dimension; a length of -1 is all of it (TensorSlice::kFullExtent). */
export interface SliceExtent {
  /** Index of the first element. */
  readonly start: number;
  readonly length: number;
}

/** The values of variables, by checkpoint key. */
export interface Checkpoint {
  /** Its source, for messages. */
  readonly name: string;
  /** Dtype and shape of each tensor; does not read the data files. */
  readonly entries: ReadonlyMap<string, { readonly dtype: DataType; readonly shape: readonly number[] }>;
  /** @throws BnfixError `statistics` when the key does not exist. */
  tensor(key: string): Tensor;
  /** One rectangle of a tensor: the part of a partitioned variable. @throws BnfixError `statistics` like {@link tensor} */
  slice(key: string, extents: readonly SliceExtent[]): Tensor;
}

/** Where a checkpoint was looked for in vain. */
export interface CheckpointSearch {
  /** Names of files. */
  readonly wanted: readonly string[];
  /** Files that belong to a checkpoint, but are not a whole one, or not certainly this one. */
  readonly found: readonly string[];
}

/** A loaded model: the graph, its metadata and its weights. */
export interface Model {
  /** The file that holds the graph. */
  readonly name: string;
  /** What that file contains; undefined for a graph that was made in memory. */
  readonly kind?: 'graph_def' | 'meta_graph' | 'saved_model' | undefined;
  readonly graph: Graph;
  /** The fields of the MetaGraphDef apart from its graph; empty for a bare GraphDef. */
  readonly metaGraphDef: MetaGraphDef;
  /** Undefined for a graph without a checkpoint: a frozen one. */
  readonly checkpoint: Checkpoint | undefined;
  /** Looks again for a checkpoint that was not found, for the message; undefined if the model has one, or is in memory. */
  readonly searchCheckpoint?: (() => CheckpointSearch) | undefined;
  /** Size of the file that holds the graph, in bytes. */
  readonly byteLength: number;
  /** Variable name -> checkpoint key, from the object graph of a TF2 checkpoint. */
  readonly objectKeys?: ReadonlyMap<string, string> | undefined;
  /** The training graph of an already frozen model: its update ops show which statistics belong to which batch norm. */
  readonly reference?: { readonly graph: Graph; readonly metaGraphDef: MetaGraphDef } | undefined;
}
