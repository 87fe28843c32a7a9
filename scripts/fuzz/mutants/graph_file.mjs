// Decodes and encodes the three kinds of binary graph files, for changes of their contents.
import { parseMessage } from './wire.mjs';

/**
 * @param proto - the generated classes: dist/proto/tensorflow.js
 * @returns `graphs` (GraphDefs), `metas` (MetaGraphDefs), `saved` (a SavedModel) and `encode()`; undefined for text
 */
export function openGraphFile(path, bytes, proto) {
  const type = typeOf(path, bytes, proto);
  if (!type) return undefined;
  let root;
  try {
    root = proto[type].decode(bytes);
  } catch {
    return undefined;
  }
  const saved = type === 'SavedModel' ? root : undefined;
  const metas = saved ? saved.meta_graphs : type === 'MetaGraphDef' ? [root] : [];
  const graphs = type === 'GraphDef' ? [root] : metas.map((meta) => meta.graph_def).filter(Boolean);
  return { type, root, saved, metas, graphs, encode: () => Buffer.from(proto[type].encode(root).finish()) };
}

function typeOf(path, bytes) {
  if (/saved_model\.pb$/.test(path)) return 'SavedModel';
  const fields = parseMessage(bytes, 2);
  if (!fields?.length) return undefined;
  if (/\.meta$/.test(path)) return 'MetaGraphDef';
  return /\.pb$/.test(path) ? 'GraphDef' : undefined;
}
