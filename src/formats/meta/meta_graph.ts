import { BnfixError } from '../../errors.js';
import { tensorName } from '../../graph/node.js';
import { shapeProto } from '../../graph/tensor.js';
import { tensorflow } from '../../proto/tensorflow.js';
import { type EncodedCheckpoint, encodeCheckpoint } from '../../writers/checkpoint/bundle.js';
import type { Encoded, ResultFile } from '../../writers/encoded.js';
import { encodeGraphDef, MAX_MESSAGE_BYTES } from '../../writers/graph_def.js';
import {
  type ServedSignature,
  type ServedTensor,
  type SignatureLoss,
  signatureLosses,
  signaturesOf,
} from '../signature.js';
import type { Made } from '../variables/choose_variables.js';
import { withVariables } from '../variables/with_variables.js';

/** Room for everything in a MetaGraphDef that is not a constant, in bytes. */
const ROOM = 2 ** 28;

/** A result with variables: a MetaGraphDef, and the values of the variables. */
export interface EncodedMetaGraph {
  readonly metaGraph: Encoded & { readonly byteLength: number };
  /** Undefined if there are no variables. */
  readonly checkpoint: EncodedCheckpoint | undefined;
}

/**
 * Encodes a frozen or folded graph as a MetaGraphDef in which its weights are variables, with a saver, collections and
 * signatures.
 * @param tags - of a SavedModel
 * @throws BnfixError `unwritable` when it would be larger than the 2 GiB that a protobuf message can hold
 */
export function encodeMetaGraph(made: Made, tags: readonly string[]): EncodedMetaGraph {
  const { graph, saver, collections, values } = withVariables(made, MAX_MESSAGE_BYTES - ROOM);
  const encoded = encodeGraphDef(graph);
  const signatures = signaturesOf(made);
  const version = made.model.metaGraphDef.meta_info_def?.tensorflow_version;
  const before = tensorflow.MetaGraphDef.encode({
    meta_info_def: { tags: [...tags], ...(version && { tensorflow_version: version }) },
  });
  const head = before.uint32(GRAPH_DEF).uint32(encoded.byteLength).finish();
  const tail = tensorflow.MetaGraphDef.encode({
    ...(saver && { saver_def: saver }),
    collection_def: { ...collections },
    signature_def: Object.fromEntries(signatures.map((signature) => [signature.key, signatureProto(signature)])),
  }).finish();
  const metaGraph = around(head, encoded, tail);
  if (metaGraph.byteLength > MAX_MESSAGE_BYTES) throw tooLarge(metaGraph.byteLength);
  const notes = signatureLosses(made, signatures).map(lossText);
  return { metaGraph: { ...metaGraph, notes }, checkpoint: values.length > 0 ? encodeCheckpoint(values) : undefined };
}

function lossText({ signature, input }: SignatureLoss): string {
  if (input !== undefined)
    return `the input ${input} of the signature ${signature} is left out: it feeds no output now`;
  return `the signature ${signature} is left out: not all of its outputs are outputs of the result`;
}

/**
 * The files of a checkpoint, in the order in which they are written: the index has the checksums of the data.
 * @param prefix - what their paths begin with
 */
export function checkpointFiles(checkpoint: EncodedCheckpoint | undefined, prefix: string): ResultFile[] {
  if (!checkpoint) return [];
  return [
    { path: `${prefix}.data-00000-of-00001`, encoded: checkpoint.data },
    { path: `${prefix}.index`, encoded: checkpoint.index },
  ];
}

/** Tag of the field graph_def of a MetaGraphDef. */
const GRAPH_DEF = (2 << 3) | 2;

/** Bytes with others before and after them. */
export function around(
  head: Uint8Array,
  encoded: Encoded & { readonly byteLength: number },
  tail: Uint8Array,
): Encoded & { readonly byteLength: number } {
  return {
    byteLength: head.length + encoded.byteLength + tail.length,
    ...(encoded.notes && { notes: encoded.notes }),
    *chunks() {
      yield head;
      yield* encoded.chunks();
      if (tail.length > 0) yield tail;
    },
  };
}

function signatureProto({ method, inputs, outputs }: ServedSignature): tensorflow.SignatureDef.$Properties {
  return { inputs: tensorInfos(inputs), outputs: tensorInfos(outputs), method_name: method };
}

function tensorInfos(tensors: readonly ServedTensor[]): Record<string, tensorflow.TensorInfo.$Properties> {
  const sorted = tensors.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  return Object.fromEntries(
    sorted.map(({ key, ref, dtype, shape }) => [
      key,
      { name: tensorName(ref), dtype, tensor_shape: shapeProto(shape) },
    ]),
  );
}

function tooLarge(byteLength: number): BnfixError {
  return new BnfixError(
    'unwritable',
    'the graph does not fit into one MetaGraphDef, even with its weights in a checkpoint',
    {
      why: `it needs ${byteLength} bytes; protobuf holds at most ${MAX_MESSAGE_BYTES}`,
      fix: [
        { option: 'outputs', value: 'NAMES', text: 'freezes a part of it: fewer outputs' },
        { option: 'inputs', value: 'NAMES', text: 'or later inputs' },
      ],
    },
  );
}
