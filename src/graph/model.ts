import type { DataType } from './dtype.js';
import type { Graph } from './graph.js';
import type { MetaGraphDef } from './meta_graph_def.js';
import type { Tensor } from './tensor.js';

/** Where a part of a tensor is along one dimension; a length of -1 is the rest of it (TensorSlice::kFullExtent). */
export interface SliceExtent {
  /** Index of the first element. */
  readonly start: number;
  readonly length: number;
}

/** The values of variables, by checkpoint key. */
export interface Checkpoint {
  /** What it was read from, for messages. */
  readonly name: string;
  /** Dtype and shape of each tensor; nothing of it is read from the data files. */
  readonly entries: ReadonlyMap<string, { readonly dtype: DataType; readonly shape: readonly number[] }>;
  /** @throws BnfixError `statistics` when there is no such key. */
  tensor(key: string): Tensor;
  /** One rectangle of a tensor: the part of a partitioned variable. @throws BnfixError `statistics` as {@link tensor} */
  slice(key: string, extents: readonly SliceExtent[]): Tensor;
}

/** A model as it was loaded: the graph, what the file says of it, and the weights that go with it. */
export interface Model {
  /** The file that holds the graph. */
  readonly name: string;
  readonly graph: Graph;
  /** What the MetaGraphDef says beside its graph; empty for a bare GraphDef. */
  readonly metaGraphDef: MetaGraphDef;
  /** Undefined for a graph without a checkpoint: a frozen one. */
  readonly checkpoint: Checkpoint | undefined;
  /** Size of the file that holds the graph, in bytes. */
  readonly byteLength: number;
  /** Variable name -> checkpoint key, as the object graph of a TF2 checkpoint says. */
  readonly objectKeys?: ReadonlyMap<string, string> | undefined;
  /** The training graph of an already frozen model: its update ops show which statistics belong to which batch norm. */
  readonly reference?: { readonly graph: Graph; readonly metaGraphDef: MetaGraphDef } | undefined;
}
