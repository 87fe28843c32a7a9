import type { Analysis } from '../freezing/analysis.js';
import { noticesOf } from '../freezing/notices.js';
import { type Node, parseTensorName } from '../graph/node.js';
import { anyOf } from '../ops/meaning.js';

const isPlaceholder = anyOf('placeholder');
const hasDefault = anyOf('default_placeholder');

/** The placeholders that have to be fed, and that the signature with the outputs does not name. */
export function unnamedInputs({ graph, fed, outputs, model }: Analysis): { node: Node; signature: string }[] {
  if (outputs.reason.code !== 'signature') return [];
  const signature = outputs.reason.name;
  const inputs = model.metaGraphDef.signature_def?.[signature]?.inputs ?? {};
  const named = new Set(Object.values(inputs).map(({ name }) => parseTensorName(name ?? '').node));
  const feeding = new Set([...fed.values()].flatMap((names) => [...names]));
  return [...feeding].flatMap((name) => {
    const node = graph.find(name);
    const isUnnamed = node && isPlaceholder(node) && !hasDefault(node) && !named.has(name);
    return isUnnamed ? [{ node, signature }] : [];
  });
}

/** Placeholders of a single bool that feed an output, and of which no value was recognised as inference. */
export function unnamedFlags(analysis: Analysis): readonly string[] {
  return noticesOf(analysis).flatMap((notice) => (notice.code === 'flags_left' ? notice.placeholders : []));
}
