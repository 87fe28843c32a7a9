import { checkOptions, type OptionKinds } from '../check_options.js';
import type { Graph } from '../graph/graph.js';
import type { Encoded, WriteOptions } from './encoded.js';
import { writeFile } from './file.js';
import type { EncodedGraph } from './graph_def.js';

/** The file formats of a GraphDef. */
export type GraphFormat = 'pb' | 'pbtxt';

/** A graph in both forms: the writers of {@link Encoded} bytes use one of them. */
export interface WritableGraph {
  /** The graph, for text. */
  readonly graph: Graph;
  /** The encoded graph, for binary. */
  readonly encoded: EncodedGraph;
}

/** The format for a file name: .pbtxt and .pb.txt are text, anything else is binary. */
export function graphFormat(path: string): GraphFormat {
  return /\.(pbtxt|pb\.txt|prototxt)$/i.test(path) ? 'pbtxt' : 'pb';
}

/** The bytes of a graph in a format. The text writer is loaded on demand. */
export async function encodeAs(format: GraphFormat, { graph, encoded }: WritableGraph): Promise<Encoded> {
  if (format === 'pb') return encoded;
  const { encodeGraphText } = await import('./text.js');
  return encodeGraphText(graph);
}

/** The type of each option of writing. */
export const WRITE_OPTIONS: OptionKinds<WriteOptions> = {
  force: 'boolean',
  inputs: 'strings',
  onProgress: 'any',
  signal: 'any',
  sync: 'boolean',
  verifyWritten: 'boolean',
};

/**
 * Writes a frozen graph to a file: .pbtxt and .pb.txt as text, anything else as binary. The file is written atomically.
 * The model must still be open: weights are read while they are written.
 *
 * @returns the size of the file in bytes
 * @throws BnfixError `unwritable` when it cannot be written, or already exists and `force` is not set; `unreadable`
 *   when a weight turns out to be corrupt; `interrupted` when `signal` stops it
 * @example
 * import { freeze, load, writeGraph } from 'bnfix';
 * const model = await load('model.meta');
 * await writeGraph('frozen.pb', freeze(model)); // 30025
 * model.close();
 */
export async function writeGraph(path: string, graph: WritableGraph, options: WriteOptions = {}): Promise<number> {
  checkOptions('writeGraph', options, WRITE_OPTIONS);
  const { bytes } = await writeFile(path, await encodeAs(graphFormat(path), graph), options);
  return bytes;
}
