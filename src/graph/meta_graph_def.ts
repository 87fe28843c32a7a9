/** An input or output of a signature: TensorInfo of meta_graph.proto. */
export interface SignatureTensor {
  /** The tensor in the graph: `scores:0`. */
  readonly name?: string | null;
  /** The tensors of a sparse one. */
  readonly coo_sparse?: {
    readonly values_tensor_name?: string | null;
    readonly indices_tensor_name?: string | null;
    readonly dense_shape_tensor_name?: string | null;
  } | null;
}

/**
 * The tensors of an entry of a signature, with their keys: three of a sparse tensor, one otherwise. Its name is empty if the entry
 * has none, as that of a ragged tensor.
 */
export function entryTensors(
  key: string,
  { name, coo_sparse: sparse }: SignatureTensor,
): [key: string, name: string][] {
  if (!sparse) return [[key, name ?? '']];
  return [
    [`${key}_indices`, sparse.indices_tensor_name ?? ''],
    [`${key}_values`, sparse.values_tensor_name ?? ''],
    [`${key}_dense_shape`, sparse.dense_shape_tensor_name ?? ''],
  ];
}

/** A signature: the inputs and outputs of a use of the graph, by name. */
export interface Signature {
  readonly inputs?: Readonly<Record<string, SignatureTensor>> | null;
  readonly outputs?: Readonly<Record<string, SignatureTensor>> | null;
  readonly method_name?: string | null;
}

/** A collection of a graph: names of nodes, or messages. */
export interface Collection {
  readonly bytes_list?: { readonly value?: readonly Uint8Array[] | null } | null;
}

/** The fields of a MetaGraphDef (meta_graph.proto) that bnfix reads, apart from the graph. */
export interface MetaGraphDef {
  readonly meta_info_def?: {
    readonly tags?: readonly string[] | null;
    readonly tensorflow_version?: string | null;
  } | null;
  readonly saver_def?: {
    readonly restore_op_name?: string | null;
  } | null;
  readonly collection_def?: Readonly<Record<string, Collection>> | null;
  readonly signature_def?: Readonly<Record<string, Signature>> | null;
}
