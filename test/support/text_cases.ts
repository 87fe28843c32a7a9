import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DataType } from '../../src/graph/dtype.js';
import type { Graph } from '../../src/graph/graph.js';
import type { MetaGraphDef } from '../../src/graph/meta_graph_def.js';
import type { Checkpoint, Model } from '../../src/graph/model.js';
import { numberTensor, type Tensor } from '../../src/graph/tensor.js';

/** A case in a text file: options, the given graph, and after a line `---` the result. */
export interface TextCase {
  readonly name: string;
  readonly path: string;
  /** The lines `key: value` at the top; values as in YAML's flow style: `[a, b]`, `{ a: 1 }`. */
  readonly options: CaseOptions;
  readonly given: string;
  readonly result: string;
}

/** Options of `freeze` and `fold`, by their names in the library, and the values of variables. */
export interface CaseOptions {
  readonly outputs?: readonly string[];
  readonly inputs?: readonly string[];
  readonly keep?: readonly string[];
  readonly set?: Readonly<Record<string, boolean | number>>;
  readonly map?: Readonly<Record<string, readonly [string, string]>>;
  readonly inputShapes?: Readonly<Record<string, readonly number[]>>;
  readonly outputNames?: Readonly<Record<string, string>>;
  readonly ema?: boolean;
  readonly allowUntrained?: boolean;
  readonly duplicateWeights?: boolean;
  readonly keepsFused?: boolean;
  /** The version of the TensorFlow that wrote the graph. */
  readonly producer?: number;
  readonly checkpoint?: Readonly<Record<string, Nested>>;
  /** The file that the graph is in: its name and type, and the tags and signatures of a SavedModel. */
  readonly file?: string;
  readonly kind?: Model['kind'];
  readonly tags?: readonly string[];
  readonly signatures?: MetaGraphDef['signature_def'];
}

type Nested = number | readonly Nested[];

/** The cases of a folder below test/: one for each .txt file in each of its folders. */
export function textCases(folder: string): Map<string, TextCase[]> {
  const root = fileURLToPath(new URL(`../${folder}`, import.meta.url));
  const folders = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const cases = folders.map(({ name }): [string, TextCase[]] => {
    const files = readdirSync(join(root, name)).filter((file) => file.endsWith('.txt'));
    return [name, files.sort().map((file) => readCase(join(root, name, file)))];
  });
  return new Map(cases.filter(([, { length }]) => length > 0));
}

function readCase(path: string): TextCase {
  const [head = '', result = ''] = readFileSync(path, 'utf8').split(/^---\n/m);
  return { name: basename(path, '.txt'), path, ...parseCase(head), result };
}

/** Parses options and graph of a case. */
export function parseCase(text: string): Pick<TextCase, 'options' | 'given'> {
  const lines = text.split('\n');
  const isOption = (line: string) => /^\w+: /.test(line);
  const options = Object.fromEntries(
    lines.filter(isOption).map((line) => {
      const [, key, value] = /^(\w+): +(.*)$/.exec(line)!;
      return [key!, flowValue(value!)];
    }),
  );
  return { options, given: lines.map((line) => (isOption(line) ? '' : line)).join('\n') };
}

/** YAML's flow style, as far as it is JSON without quotes. */
function flowValue(text: string): unknown {
  const quoted = text.replace(/"[^"]*"|[A-Za-z_*](?:[\w./*?-]|:(?=\S))*/g, (word) =>
    word.startsWith('"') || /^(true|false)$/.test(word) ? word : `"${word}"`,
  );
  try {
    return JSON.parse(quoted);
  } catch (cause) {
    throw new Error(`not an option's value: ${text}`, { cause });
  }
}

/** With UPDATE_CASES=1, writes what came out into the file; read it through before it is committed. */
export function updated({ path, result }: TextCase, actual: string): string {
  if (process.env.UPDATE_CASES !== '1') return result;
  const [head] = readFileSync(path, 'utf8').split(/^---\n/m);
  writeFileSync(path, `${head}---\n${actual}`);
  return actual;
}

/** A checkpoint in memory, of the dtypes that the graph's variables have. */
export function checkpointOf(values: CaseOptions['checkpoint'], graph: Graph): Checkpoint | undefined {
  if (!values) return undefined;
  const tensors = new Map(
    Object.entries(values).map(([key, value]): [string, Tensor] => {
      const dtype = (graph.find(key)?.attr.dtype?.type ?? DataType.DT_FLOAT) as DataType;
      return [key, numberTensor(dtype, shapeOf(value), flatten(value))];
    }),
  );
  const tensor = (key: string) => tensors.get(key)!;
  return { name: 'memory', entries: tensors, tensor, slice: tensor };
}

function flatten(value: Nested): number[] {
  return typeof value === 'number' ? [value] : value.flatMap(flatten);
}

function shapeOf(value: Nested): number[] {
  return typeof value === 'number' ? [] : [value.length, ...(value[0] === undefined ? [] : shapeOf(value[0]))];
}
