import { type FoldOptions, fold } from '../../src/freezing/fold.js';
import type { FoldReport } from '../../src/freezing/fold_report.js';
import type { Graph } from '../../src/graph/graph.js';
import type { Model } from '../../src/graph/model.js';
import { MemorySource } from '../../src/io/source.js';
import { readGraphDef } from '../../src/readers/graph_def.js';
import { type EncodedGraph, encodeGraphDef } from '../../src/writers/graph_def.js';
import { modelOf } from '../support/model.js';

export function bytesOf(encoded: EncodedGraph): Buffer {
  return Buffer.concat([...encoded.chunks()].map((chunk) => Buffer.from(chunk)));
}

/** What was folded, as it is when the file has been read again. */
export interface Folded {
  readonly graph: Graph;
  readonly bytes: Buffer;
  readonly report: FoldReport;
}

export function foldedModel(model: Model, options: FoldOptions): Folded {
  const { encoded, report } = fold(model, options);
  const bytes = bytesOf(encoded);
  return { graph: readGraphDef(new MemorySource(bytes)), bytes, report };
}

/** Folds a graph that is frozen already. */
export function folded(graph: Graph, outputs: readonly string[], options: FoldOptions = {}): Folded {
  // Through a file, so that constants are what is read from one.
  const read = readGraphDef(new MemorySource(bytesOf(encodeGraphDef(graph))));
  return foldedModel(modelOf(read), { ...options, outputs });
}
