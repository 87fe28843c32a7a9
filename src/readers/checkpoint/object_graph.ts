import { DataType, dtypeName } from '../../graph/dtype.js';
import type { Checkpoint } from '../../graph/model.js';
import { tensorflow } from '../../proto/tensorflow.js';
import { corrupt, decodeMessage } from './checkpoint_errors.js';

/** The key of the object graph in a TF2 checkpoint. */
export const OBJECT_GRAPH_KEY = '_CHECKPOINTABLE_OBJECT_GRAPH';

/**
 * Variable name -> checkpoint key, from the object graph of a TF2 checkpoint. Names of several variables are left out,
 * since they are ambiguous.
 */
export function objectKeys(checkpoint: Checkpoint): ReadonlyMap<string, string> | undefined {
  const graph = readObjectGraph(checkpoint);
  if (!graph) return undefined;
  const keys = new Map<string, string>();
  const twice = new Set<string>();
  for (const { full_name, checkpoint_key } of graph.nodes.flatMap((node) => node.attributes ?? [])) {
    if (!full_name || !checkpoint_key) continue;
    if (keys.has(full_name)) twice.add(full_name);
    keys.set(full_name, checkpoint_key);
  }
  for (const name of twice) keys.delete(name);
  return keys;
}

/**
 * The object graph of a TF2 checkpoint (tf.train.Checkpoint, SavedModel): its nodes, their children by attribute name, and
 * the checkpoint key of each variable.
 * @returns undefined for a TF1 checkpoint, which has none
 * @throws BnfixError `unreadable` when it is malformed
 */
export function readObjectGraph(checkpoint: Checkpoint): tensorflow.TrackableObjectGraph | undefined {
  if (!checkpoint.entries.has(OBJECT_GRAPH_KEY)) return undefined;
  const what = `the object graph of ${checkpoint.name}`;
  const tensor = checkpoint.tensor(OBJECT_GRAPH_KEY);
  if (tensor.dtype !== DataType.DT_STRING) {
    throw corrupt(checkpoint.name, `${what} is malformed`, `it is a ${dtypeName(tensor.dtype)} tensor`);
  }
  const value = tensor.strings()[0];
  if (!value) throw corrupt(checkpoint.name, `${what} is malformed`, 'it is an empty tensor');
  return decodeMessage(checkpoint.name, what, () => tensorflow.TrackableObjectGraph.decode(value));
}
