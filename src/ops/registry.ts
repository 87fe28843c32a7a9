import { type AttrMap, attrInt, attrType, attrTypes } from '../graph/attrs.js';
import { baseType, DataType } from '../graph/dtype.js';
import { OP_TABLE } from './op_table.js';

/** One output argument of an op definition. */
interface OutputArg {
  readonly name: string;
  /** A DataType, or the attr that holds it (or a list of them). */
  readonly type: DataType | string;
  readonly list: boolean;
  /** The attr with the number of tensors of the argument. */
  readonly numberAttr: string | undefined;
  readonly isRef: boolean;
}

/** How many inputs an op has: a number, plus what attrs say. */
interface InputCount {
  readonly fixed: number;
  /** Attrs that hold a number of inputs. */
  readonly numbers: readonly string[];
  /** Attrs that list the types of inputs. */
  readonly lists: readonly string[];
}

/** The part of an op's registration in TensorFlow that bnfix needs. */
export interface OpInfo {
  readonly stateful: boolean;
  /** Undefined for ops whose number of inputs depends on the version of TensorFlow. */
  readonly inputs: InputCount | undefined;
  readonly outputs: readonly OutputArg[];
  /** Whether all nodes of the op have the same number of outputs. */
  readonly isFixed: boolean;
  readonly defaultTypes: ReadonlyMap<string, DataType>;
  /** Attrs with a default, as in the table: see default_attrs.ts. */
  readonly defaults: ReadonlyMap<string, string>;
}

let lines: Map<string, string> | undefined;
const parsed = new Map<string, OpInfo>();

/** The registration of an op; undefined for custom ops. */
export function opInfo(op: string): OpInfo | undefined {
  const known = parsed.get(op);
  if (known) return known;
  lines ??= indexTable();
  const line = lines.get(op);
  if (line === undefined) return undefined;
  const info = parseLine(line);
  parsed.set(op, info);
  return info;
}

function indexTable(): Map<string, string> {
  const index = new Map<string, string>();
  for (const line of OP_TABLE.trim().split('\n')) {
    const word = line.split(' ', 1)[0]!;
    index.set(word.endsWith('!') ? word.slice(0, -1) : word, line);
  }
  return index;
}

function parseLine(line: string): OpInfo {
  const [head, ...words] = line.split(' ');
  const outputs: OutputArg[] = [];
  const defaultTypes = new Map<string, DataType>();
  const defaults = new Map<string, string>();
  let inputs: InputCount | undefined;
  for (const word of words) {
    const [key, value] = word.split('=');
    if (value === undefined) {
      if (word.startsWith('<')) inputs = parseInputs(word.slice(1).split('+'));
      else outputs.push(parseOutput(word));
      continue;
    }
    defaults.set(key!, value);
    const type = Number.parseInt(value, 10);
    if (!Number.isNaN(type)) defaultTypes.set(key!, type);
  }
  const isFixed = outputs.every((arg) => !arg.list && arg.numberAttr === undefined);
  return { stateful: head!.endsWith('!'), inputs, outputs, isFixed, defaultTypes, defaults };
}

function parseInputs(terms: readonly string[]): InputCount {
  const [fixed, attrs] = /^\d+$/.test(terms[0]!) ? [Number(terms[0]), terms.slice(1)] : [0, terms];
  return {
    fixed,
    numbers: attrs.filter((text) => !text.startsWith('[')),
    lists: attrs.filter((text) => text.startsWith('[')).map((text) => text.slice(1, -1)),
  };
}

function parseOutput(word: string): OutputArg {
  const [name, spec] = word.split(':') as [string, string];
  const isRef = spec.endsWith('&');
  const [count, last] = (isRef ? spec.slice(0, -1) : spec).split('*') as [string, string | undefined];
  const kind = last ?? count;
  const list = kind.startsWith('[');
  const text = list ? kind.slice(1, -1) : kind;
  const type = /^\d+$/.test(text) ? (Number(text) as DataType) : text;
  return { name, type, list, numberAttr: last === undefined ? undefined : count, isRef };
}

/** The part of a node that its op's registration depends on. */
interface OpInstance {
  readonly op: string;
  readonly attr: AttrMap;
}

/** The number of inputs that a node must have; undefined for custom ops, NaN if an attr that says it is missing. */
export function inputCount(node: OpInstance): number | undefined {
  const inputs = opInfo(node.op)?.inputs;
  if (!inputs) return undefined;
  let count = inputs.fixed;
  for (const key of inputs.numbers) count += attrInt(node, key) ?? Number.NaN;
  for (const key of inputs.lists) count += attrTypes(node, key)?.length ?? Number.NaN;
  return count;
}

/** Attrs of a node that hold a number of its inputs or outputs. */
export function countAttrs(op: string): readonly string[] {
  const info = opInfo(op);
  if (!info) return [];
  const outputs = info.outputs.flatMap(({ numberAttr }) => (numberAttr === undefined ? [] : [numberAttr]));
  return [...new Set([...(info.inputs?.numbers ?? []), ...outputs])];
}

/** DataType of one output; undefined for custom ops, and for outputs that the op does not have. */
export function outputType(node: OpInstance, port: number): DataType | undefined {
  const info = opInfo(node.op);
  if (!info) return undefined;
  if (info.isFixed) {
    const arg = info.outputs[port];
    return arg && typeOf(node, info, arg, 0);
  }
  let first = 0;
  for (const arg of info.outputs) {
    const count = argCount(node, arg);
    if (port < first + count) return typeOf(node, info, arg, port - first);
    first += count;
  }
  return undefined;
}

/** The same; the `T` of a custom op, DT_INVALID if it has none. */
export function outputTypeOrT(node: OpInstance, port: number): DataType {
  return outputType(node, port) ?? attrType(node, 'T') ?? DataType.DT_INVALID;
}

/** Number of outputs; undefined for custom ops. An attr may give any number: allocate nothing of that size. */
export function outputCount(node: OpInstance): number | undefined {
  const info = opInfo(node.op);
  if (!info || info.isFixed) return info?.outputs.length;
  return info.outputs.reduce((sum, arg) => sum + argCount(node, arg), 0);
}

/** Whether an op has an output; a custom op has any. */
export function hasOutput(node: OpInstance, port: number): boolean {
  return port >= 0 && port < (outputCount(node) ?? Number.POSITIVE_INFINITY);
}

/** Whether an output of an op is a handle of a resource that the op makes: a queue, a table, an iterator. */
export function makesHandle(op: string, port: number): boolean {
  const info = opInfo(op);
  const arg = info?.outputs[port];
  if (!info?.stateful || !arg) return false;
  return arg.type === DataType.DT_RESOURCE || (arg.isRef && arg.type === DataType.DT_STRING);
}

/** First port and number of ports of a named output argument, as functions write their edges. */
export function outputRange(node: OpInstance, argName: string): { port: number; count: number } | undefined {
  let port = 0;
  for (const arg of opInfo(node.op)?.outputs ?? []) {
    const count = argCount(node, arg);
    if (arg.name === argName) return { port, count };
    port += count;
  }
  return undefined;
}

/** Number of tensors of an output argument. */
function argCount(node: OpInstance, arg: OutputArg): number {
  if (arg.list) return node.attr[arg.type]?.list?.type?.length ?? 0;
  return arg.numberAttr === undefined ? 1 : (attrInt(node, arg.numberAttr) ?? 1);
}

function typeOf(node: OpInstance, info: OpInfo, arg: OutputArg, index: number): DataType {
  if (arg.list) return node.attr[arg.type]?.list?.type?.[index] as DataType;
  if (typeof arg.type !== 'string') return baseType(arg.type);
  return baseType(attrType(node, arg.type) ?? info.defaultTypes.get(arg.type) ?? DataType.DT_INVALID);
}
