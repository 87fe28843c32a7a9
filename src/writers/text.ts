import type { Type } from 'protobufjs';
import textformat from 'protobufjs/ext/textformat.js';
import protobuf from 'protobufjs/light.js';
import type { Graph, GraphHeader } from '../graph/graph.js';
import type { Node } from '../graph/node.js';
import { shapeProto, type Tensor } from '../graph/tensor.js';
import { topologicalOrder } from '../graph/walk.js';
import descriptor from '../proto/descriptor.js';
import type { tensorflow } from '../proto/tensorflow.js';
import type { Encoded } from './encoded.js';
import { checkedChunks, type EncodeOptions, frameProto, nodeProto, streamedPayload } from './graph_def.js';

const utf8 = new TextEncoder();
const FLUSH_CHARS = 256 * 1024;

/**
 * Encodes a graph in protobuf's text format (.pbtxt), nodes in the same order as in the binary form. Payloads of constants
 * are read and escaped on the fly: the size is not known in advance.
 *
 * Load this module only when needed: it imports protobufjs' reflection, which is slow to start, and text files are rare.
 */
export function encodeGraphText(graph: Graph, options: EncodeOptions = {}): Encoded {
  const nodes = options.fileOrder ? [...graph.nodes()] : topologicalOrder(graph);
  return { notes: unknownFieldNotes(nodes, graph.header), chunks: () => chunks(nodes, graph) };
}

function unknownFieldNotes(nodes: readonly Node[], { unknowns, library, versions }: GraphHeader): string[] {
  const names = nodes
    .filter(({ unknowns, attr }) => hasUnknowns({ $unknowns: unknowns, attr }))
    .map(({ name }) => name);
  const functions = (library?.function ?? []).filter(hasUnknowns).map((each) => `function ${each.signature?.name}`);
  const rest = hasUnknowns({ $unknowns: unknowns, versions }) ? ['the graph itself'] : [];
  const all = [...names, ...functions, ...rest];
  if (all.length === 0) return [];
  const shown = all.slice(0, 3).join(', ') + (all.length > 3 ? `, and ${all.length - 3} more` : '');
  return [`fields of a newer TensorFlow have no text form and were omitted (.pb keeps them): ${shown}`];
}

/** Whether a message, or one inside it, has fields that proto/ does not define. */
function hasUnknowns(message: unknown): boolean {
  if (typeof message !== 'object' || message === null || ArrayBuffer.isView(message)) return false;
  const { $unknowns } = message as { readonly $unknowns?: readonly Uint8Array[] };
  return ($unknowns !== undefined && $unknowns.length > 0) || Object.values(message).some(hasUnknowns);
}

function* chunks(nodes: readonly Node[], graph: Graph): Generator<Uint8Array> {
  const print = printer();
  let pending = '';
  for (const node of nodes) {
    const payload = streamedPayload(node);
    pending += `node {\n${print('NodeDef', withoutDefaults(nodeProto(node, payload === undefined)), 1)}`;
    if (payload) {
      const head = { dtype: payload.dtype, tensor_shape: shapeProto(payload.shape) };
      pending += `  attr {\n    key: "value"\n    value {\n      tensor {\n${print('TensorProto', head, 4)}`;
      pending += '        tensor_content: "';
      yield utf8.encode(pending);
      yield* escaped(payload);
      pending = '"\n      }\n    }\n  }\n';
    }
    pending += '}\n';
    if (pending.length < FLUSH_CHARS) continue;
    yield utf8.encode(pending);
    pending = '';
  }
  yield utf8.encode(pending + print('GraphDef', frameProto(graph.header), 0));
}

/** Proto3 omits empty strings. */
function withoutDefaults(proto: tensorflow.NodeDef.$Properties): tensorflow.NodeDef.$Properties {
  const { device, ...rest } = proto;
  return device ? proto : rest;
}

/** Prints a message of the named type, every line indented by `depth` steps. */
function printer(): (type: string, message: object, depth: number) => string {
  const root = protobuf.Root.fromJSON(descriptor);
  const types = new Map<string, Type>();
  return (name, message, depth) => {
    const type = types.get(name) ?? root.lookupType(`tensorflow.${name}`);
    types.set(name, type);
    const text = textformat.toText(type, message as Record<string, unknown>, { unknowns: false });
    const lines = text.split('\n').filter((line) => line !== '');
    return lines.map((line) => `${'  '.repeat(depth)}${line}\n`).join('');
  };
}

/** A byte inside quotes: itself, or three octal digits, so that a digit may follow. */
const ESCAPES: readonly Uint8Array[] = Array.from({ length: 256 }, (_, byte) => {
  const short: Readonly<Record<number, string>> = { 9: '\\t', 10: '\\n', 13: '\\r', 34: '\\"', 39: "\\'", 92: '\\\\' };
  const plain = byte >= 32 && byte < 127 ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`;
  return utf8.encode(short[byte] ?? plain);
});

function* escaped(tensor: Tensor): Generator<Uint8Array> {
  for (const chunk of checkedChunks(tensor)) {
    const out = new Uint8Array(chunk.length * 4);
    let length = 0;
    for (const byte of chunk) {
      const form = ESCAPES[byte]!;
      for (let i = 0; i < form.length; i++) out[length++] = form[i]!;
    }
    yield out.subarray(0, length);
  }
}
