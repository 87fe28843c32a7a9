import type { FileChecker } from './checkable.js';
import { checkOnnx } from './foreign/onnx/check_onnx.js';
import { checkTfjs } from './foreign/tfjs/check_tfjs.js';
import { loadTfjs, type TfjsModel } from './foreign/tfjs/load_tfjs.js';
import { notAModel, readModelJson } from './foreign/tfjs/model_json.js';
import { FileSource } from './io/file_source.js';
import type { ByteSource } from './io/source.js';
import { folderOf, inFolder, isFile } from './locate/files.js';

/** Checks an ONNX file. */
export const checkOnnxFile: FileChecker = async ({ file }, options) => {
  const files = new FilesBeside(file);
  try {
    return { kind: 'onnx', result: checkOnnx(files.open(file), (location) => files.beside(location), options) };
  } finally {
    files.close();
  }
};

/** Checks a model.json of TensorFlow.js. */
export const checkTfjsFile: FileChecker = async ({ file }, options) => {
  const files = new FilesBeside(file);
  try {
    return { kind: 'tfjs', result: await checkTfjs(files.open(file), (path) => files.beside(path), options) };
  } finally {
    files.close();
  }
};

/**
 * Loads a graph model of TensorFlow.js as a frozen graph.
 * @throws BnfixError `unreadable` when it is none, or lacks a file
 */
export async function loadTfjsFile(file: string): Promise<TfjsModel> {
  const files = new FilesBeside(file);
  try {
    const source = files.open(file);
    const json = readModelJson(source);
    if (json.format !== 'graph-model') throw notAModel(source, 'it is a model of Keras layers');
    const model = await loadTfjs(source, json, (path) => files.beside(path));
    const [lost] = model.missing;
    if (lost !== undefined) throw notAModel(source, `${lost} not found`);
    return { ...model, close: () => files.close() };
  } catch (error) {
    files.close();
    throw error;
  }
}

/** A path that leads out of its folder: absolute, with a drive or a scheme, or upwards. */
const LEADS_OUTSIDE = /^[/\\]|:|(^|[/\\])\.\.([/\\]|$)/;

/** The files of a model, each opened once. */
class FilesBeside {
  readonly #folder: string;
  readonly #opened = new Map<string, ByteSource>();

  constructor(file: string) {
    this.#folder = folderOf(file);
  }

  open(path: string): ByteSource {
    const source = this.#opened.get(path) ?? new FileSource(path);
    this.#opened.set(path, source);
    return source;
  }

  /** A file that a model names; undefined if it is not in the model's folder. */
  beside(name: string): ByteSource | undefined {
    if (name === '' || LEADS_OUTSIDE.test(name)) return undefined;
    const path = inFolder(this.#folder, name);
    return isFile(path) ? this.open(path) : undefined;
  }

  close(): void {
    for (const source of this.#opened.values()) source.close();
  }
}
