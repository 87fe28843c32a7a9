import type { Graph } from '../graph/graph.js';
import type { MetaGraphDef } from '../graph/meta_graph_def.js';
import type { ByteSource } from '../io/source.js';
import { tensorflow } from '../proto/tensorflow.js';
import { GatheredFields } from './gathered_fields.js';
import { decode, graphOfProto, readGraphDef } from './graph_def.js';
import { LENGTH_DELIMITED, WireReader } from './wire.js';

/** A MetaGraphDef: its graph, and its other fields. */
export interface MetaGraph {
  readonly graph: Graph;
  readonly metaGraphDef: MetaGraphDef;
}

/** Reads the MetaGraphDef in [start, end) of a source. */
export function readMetaGraph(source: ByteSource, start = 0, end = source.size): MetaGraph {
  const reader = new WireReader(source);
  const rest = new GatheredFields();
  let graph: Graph | undefined;
  for (const field of reader.fields(start, end)) {
    if (field.number === 2 && field.wireType === LENGTH_DELIMITED && !graph) {
      graph = readGraphDef(source, field.offset, field.offset + field.length);
    } else {
      rest.add(field);
    }
  }
  const metaGraphDef = decode(source, () => tensorflow.MetaGraphDef.decode(rest.read(reader)));
  return { graph: graph ?? graphOfProto({}, source.name), metaGraphDef };
}

/** Reads saved_model.pb: one MetaGraphDef per set of tags. */
export function readSavedModel(source: ByteSource): MetaGraph[] {
  const reader = new WireReader(source);
  const graphs: MetaGraph[] = [];
  for (const field of reader.fields(0, source.size)) {
    if (field.number === 2) graphs.push(readMetaGraph(source, field.offset, field.offset + field.length));
  }
  return graphs;
}
