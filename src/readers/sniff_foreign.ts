import { byteString } from '../io/bytes.js';

/** Types of files that users name by mistake, or hope that bnfix reads. */
export type ForeignKind =
  | 'zip'
  | 'keras'
  | 'pytorch'
  | 'npz'
  | 'npy'
  | 'pickle'
  | 'tfjs'
  | 'json'
  | 'caffe'
  | 'caffe_text'
  | 'archive'
  | 'pdf'
  | 'image'
  | 'program'
  | 'text';

const SAVE_IN_TENSORFLOW = 'load it in TensorFlow and save it with tf.train.Saver or as a SavedModel';
const NAME_A_MODEL = 'name the .meta, the .pb or the SavedModel folder';

/** What each is, and what to do. */
export const FOREIGN_KINDS: Readonly<Record<ForeignKind, readonly [what: string, fix: string]>> = {
  zip: ['a zip archive', 'unpack it and name the model inside'],
  keras: ['a Keras 3 model (.keras)', SAVE_IN_TENSORFLOW],
  pytorch: ['a PyTorch checkpoint: bnfix reads TensorFlow models', NAME_A_MODEL],
  npz: ['a NumPy archive (.npz): it has arrays, but no graph', NAME_A_MODEL],
  npy: ['a NumPy array (.npy): it has numbers, but no graph', NAME_A_MODEL],
  pickle: ['a Python pickle (PyTorch, scikit-learn): bnfix reads TensorFlow models', NAME_A_MODEL],
  tfjs: ['a TensorFlow.js model, already converted', 'name the .meta or SavedModel that it was converted from'],
  json: ['a JSON file', NAME_A_MODEL],
  caffe: ['a Caffe model: bnfix reads TensorFlow models', NAME_A_MODEL],
  caffe_text: ['a Caffe model in text form: bnfix reads TensorFlow models', NAME_A_MODEL],
  archive: ['an archive', 'unpack it and name the model inside'],
  pdf: ['a PDF document', NAME_A_MODEL],
  image: ['an image', NAME_A_MODEL],
  program: ['a program', NAME_A_MODEL],
  text: ['a text file, not a graph', NAME_A_MODEL],
};

/** First bytes, and what they show. */
const MAGIC: readonly [start: string, kind: ForeignKind][] = [
  ['%PDF-', 'pdf'],
  ['\x89PNG', 'image'],
  ['\xff\xd8\xff', 'image'],
  ['GIF8', 'image'],
  ['RIFF', 'image'],
  ['\x93NUMPY', 'npy'],
  ['\x80\x02', 'pickle'],
  ['\x80\x03', 'pickle'],
  ['\x80\x04', 'pickle'],
  ['\x80\x05', 'pickle'],
  ['BZh', 'archive'],
  ['\xfd7zXZ', 'archive'],
  ['7z\xbc\xaf', 'archive'],
  ['\x28\xb5\x2f\xfd', 'archive'],
  ['Rar!', 'archive'],
  ['\x7fELF', 'program'],
  ['MZ', 'program'],
];

/** Offset of the signature of a tar archive. */
const TAR = 257;

/** The type of a file that is neither a graph nor a checkpoint, from its first bytes. */
export function sniffForeign(head: Uint8Array): ForeignKind | undefined {
  const start = byteString(head);
  const known = MAGIC.find(([magic]) => start.startsWith(magic))?.[1];
  if (known) return known;
  if (start.startsWith('ustar', TAR)) return 'archive';
  if (isText(head)) return textKind(start);
  return isCaffe(head) ? 'caffe' : undefined;
}

/** NetParameter of Caffe: 1 name, then its layers (100), or layers of version 1 (2). */
function isCaffe(head: Uint8Array): boolean {
  const [tag, length = 0] = head;
  const name = byteString(head.subarray(2, 2 + length));
  if (tag !== 0x0a || length > 0x7f || !/^[\w .-]+$/.test(name)) return false;
  const [next, after] = head.subarray(2 + length);
  return next === 0x12 || (next === 0xa2 && after === 0x06);
}

function isText(head: Uint8Array): boolean {
  return head.every((byte) => byte >= 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d);
}

function textKind(text: string): ForeignKind {
  if (/^\s*[{[]/.test(text)) {
    return /"(modelTopology|weightsManifest)"|"format"\s*:\s*"(layers|graph)-model"/.test(text) ? 'tfjs' : 'json';
  }
  return /^\s*layers?\s*\{/m.test(text) ? 'caffe_text' : 'text';
}

/** What a zip archive holds, from the names of its first files. */
export function sniffZip(head: Uint8Array): ForeignKind {
  const names = namesInZip(head);
  if (names.some((name) => /(^|\/)data\.pkl$/.test(name))) return 'pytorch';
  if (names.length > 0 && names.every((name) => name.endsWith('.npy'))) return 'npz';
  const isKeras = (name: string) => /^(metadata\.json|config\.json|model\.weights\.h5)$/.test(name);
  return names.some(isKeras) ? 'keras' : 'zip';
}

/** The names in the local headers that are in the first bytes. */
function namesInZip(head: Uint8Array): string[] {
  const text = byteString(head);
  const names: string[] = [];
  for (let at = text.indexOf('PK\x03\x04'); at >= 0; at = text.indexOf('PK\x03\x04', at + 4)) {
    const length = (head[at + 26] ?? 0) | ((head[at + 27] ?? 0) << 8);
    const name = text.slice(at + 30, at + 30 + length);
    if (length > 0 && name.length === length) names.push(name);
  }
  return names;
}
