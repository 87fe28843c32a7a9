import { BnfixError } from '../errors.js';
import { byteString } from '../io/bytes.js';
import type { ByteSource } from '../io/source.js';
import { shellQuoted } from '../quoted.js';
import { hasTableMagic, lookUp, openTable } from './checkpoint/table.js';
import { FOREIGN_KINDS, type ForeignKind, sniffForeign, sniffZip } from './sniff_foreign.js';
import { sniffMessage } from './sniff_message.js';

const GRAPH_KINDS = [
  'graph_def',
  'meta_graph',
  'saved_model',
  'graph_text',
  'meta_graph_text',
  'saved_model_text',
] as const;

/** A file with a graph, in binary or text form. */
export type GraphKind = (typeof GRAPH_KINDS)[number];

/** File types, detected from content. */
export type FileKind =
  | GraphKind
  | 'checkpoint_v1'
  | 'checkpoint_index'
  | 'checkpoint_state'
  | 'git_lfs_pointer'
  | 'html'
  | 'gzip'
  | 'hdf5'
  | 'tflite'
  | 'onnx'
  | 'ort'
  | 'openvino'
  | 'empty'
  | ForeignKind
  | 'unknown';

/** The kind, if it is a graph; otherwise undefined. */
export function graphKindOf(kind: FileKind): GraphKind | undefined {
  return GRAPH_KINDS.find((known) => known === kind);
}

const HEAD_BYTES = 4096;
/** Comments before a text are skipped in the first 16 MiB. */
const MAX_COMMENT_BYTES = 16 * 2 ** 20;
const [HASH, NEWLINE] = [0x23, 0x0a];

/** Detects the type of a file from its first and last bytes, whatever its name. Never throws because of its content. */
export function sniff(source: ByteSource): FileKind {
  if (source.size === 0) return 'empty';
  if (hasTableMagic(source)) return sniffTable(source);
  const head = headAt(source, 0);
  const start = textStart(source, head);
  return (
    sniffMagic(head) ??
    sniffText(start === 0 ? head : headAt(source, start)) ??
    sniffMessage(source) ??
    sniffForeign(head) ??
    'unknown'
  );
}

function headAt(source: ByteSource, at: number): Uint8Array {
  return source.read(at, Math.min(HEAD_BYTES, source.size - at));
}

/** Where a text begins that has nothing but comments and blank lines before it; otherwise 0. */
function textStart(source: ByteSource, head: Uint8Array): number {
  let isComment = false;
  for (let at = 0; at < Math.min(source.size, MAX_COMMENT_BYTES); at += HEAD_BYTES) {
    const bytes = at === 0 ? head : headAt(source, at);
    for (const [i, byte] of bytes.entries()) {
      if (isComment) isComment = byte !== NEWLINE;
      else if (byte === HASH) isComment = true;
      else if (byte !== NEWLINE && byte !== 0x20 && (byte < 9 || byte > 13)) return at + i;
    }
  }
  return 0;
}

/** Both checkpoint formats are tables; the messages under their empty keys begin with fields of different types. */
function sniffTable(source: ByteSource): FileKind {
  try {
    const value = lookUp(openTable(source), '');
    // SavedTensorSlices.meta, a message; BundleHeaderProto.num_shards, a number.
    if (value?.[0] === 0x0a) return 'checkpoint_v1';
    if (value?.[0] === 0x08) return 'checkpoint_index';
  } catch (error) {
    // A corrupt table: opening it reports where it is corrupt.
    if (!(error instanceof BnfixError)) throw error;
  }
  return 'unknown';
}

function sniffMagic(head: Uint8Array): FileKind | undefined {
  const start = byteString(head.subarray(0, 64));
  const startsWith = (text: string, at = 0) => start.startsWith(text, at);
  if (startsWith('version https://git-lfs.github.com/spec/')) return 'git_lfs_pointer';
  if (startsWith('PK\x03\x04') || startsWith('PK\x05\x06')) return sniffZip(head);
  if (startsWith('\x1f\x8b')) return 'gzip';
  if (startsWith('\x89HDF\r\n\x1a\n')) return 'hdf5';
  if (startsWith('TFL3', 4)) return 'tflite';
  if (startsWith('ORTM', 4)) return 'ort';
  return undefined;
}

/** The first field of each text form. */
const TEXT_FIELDS: readonly [RegExp, FileKind][] = [
  [/^(node|library|versions|version)$/, 'graph_text'],
  [/^(meta_info_def|graph_def|saver_def|collection_def|signature_def|asset_file_def)$/, 'meta_graph_text'],
  [/^(saved_model_schema_version|meta_graphs)$/, 'saved_model_text'],
  [/^((all_)?model_checkpoint_paths?|all_model_checkpoint_timestamps|last_preserved_timestamp)$/, 'checkpoint_state'],
];

function sniffText(head: Uint8Array): FileKind | undefined {
  const text = new TextDecoder().decode(head);
  if (/^\s*<\?xml[^>]*>\s*<net\s/.test(text)) return 'openvino';
  if (/^\s*<(!doctype|html|head|body|\?xml|!--)/i.test(text)) return 'html';
  const first = /^(?:\s|#[^\n]*\n)*(\w+)\s*[:{<]/.exec(text)?.[1];
  return first === undefined ? undefined : TEXT_FIELDS.find(([field]) => field.test(first))?.[1];
}

const WRONG_KINDS: Partial<Record<FileKind, readonly [what: string, fix: string]>> = {
  ...FOREIGN_KINDS,
  git_lfs_pointer: ['a Git LFS pointer, not the file itself', 'run "git lfs pull" in its repository'],
  html: [
    'a web page that was downloaded in place of the file',
    'download the file itself: on GitHub that is the "raw" link or "Download"',
  ],
  gzip: ['a gzip archive', 'unpack it (tar xzf) and name the model inside'],
  hdf5: ['an HDF5 file, as Keras writes', 'load it in TensorFlow and save it with tf.train.Saver or as a SavedModel'],
  tflite: ['a TFLite model, already converted', 'name the .meta file and the checkpoint that it was converted from'],
  onnx: ['an ONNX model, already converted', 'name the .meta file and the checkpoint that it was converted from'],
  ort: ['a model of ONNX Runtime (.ort), already converted', 'check the .onnx file that it was made from'],
  openvino: ['an OpenVINO model, already converted', 'name the .meta, .pb or .onnx file that it was converted from'],
  empty: ['an empty file', 'copy or download it again'],
  checkpoint_state: ['a checkpoint state file: it only names checkpoints', 'name the checkpoint, or the folder'],
  checkpoint_index: ['the index of a checkpoint, not a graph', 'name the .meta file that was saved with it'],
  checkpoint_v1: ['a V1 checkpoint, not a graph', 'name the .meta file that was saved with it'],
  graph_def: ['a graph, not a checkpoint', 'name the .index file or the prefix of the checkpoint'],
  meta_graph: ['a graph (.meta), not a checkpoint', 'name the .index file or the prefix of the checkpoint'],
  saved_model: ['a SavedModel, not a checkpoint', 'name its variables/variables.index'],
  graph_text: ['a graph in text form, not a checkpoint', 'name the .index file or the prefix of the checkpoint'],
  meta_graph_text: ['a graph in text form, not a checkpoint', 'name the .index file or the prefix of the checkpoint'],
  saved_model_text: ['a SavedModel in text form, not a checkpoint', 'name its variables/variables.index'],
};

/** Models of other programs, made from one of TensorFlow, and the names that their files have. */
const CONVERTED: ReadonlyMap<FileKind, RegExp> = new Map([
  ['tfjs', /^model\.json$/],
  ['tflite', /\.tflite$/],
  ['onnx', /\.onnx$/],
  ['ort', /\.ort$/],
  ['openvino', /\.xml$/],
]);

/** Whether a file is a model of another program, made from one of TensorFlow. */
export function isConverted(kind: FileKind): boolean {
  return CONVERTED.has(kind);
}

/** Whether a file has the name of such a model; its content decides. */
export function mayBeConverted(name: string): boolean {
  return [...CONVERTED.values()].some((pattern) => pattern.test(name));
}

/** Commands that read a file which is no model of TensorFlow. */
const USED_BY: Partial<Record<FileKind, readonly (readonly [command: string, use: string])[]>> = {
  tfjs: [
    ['check', 'tells whether it is affected'],
    ['next', 'shows how to load it'],
  ],
  onnx: [['check', 'tells whether it is affected']],
};

/** The error for a file of the wrong type: says what it is, and what to name instead. */
export function explainWrongKind(kind: FileKind, name: string): BnfixError {
  const [what, fix] = WRONG_KINDS[kind] ?? [
    'neither a TensorFlow graph nor a checkpoint',
    'it may be corrupt or truncated: copy or download it again, or name another file',
  ];
  const used = (USED_BY[kind] ?? []).map(([command, use]) => `bnfix ${command} ${shellQuoted(name)}  ${use}`);
  return new BnfixError('unreadable', `${name} is ${what}`, {
    where: name,
    fix: used.length > 0 ? [fix, ...used] : fix,
  });
}
