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

/** The part of an op's registration in TensorFlow that bnfix needs. */
export interface OpInfo {
  readonly stateful: boolean;
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
  for (const word of words) {
    const [key, value] = word.split('=');
    if (value === undefined) {
      outputs.push(parseOutput(word));
      continue;
    }
    defaults.set(key!, value);
    const type = Number.parseInt(value, 10);
    if (!Number.isNaN(type)) defaultTypes.set(key!, type);
  }
  const isFixed = outputs.every((arg) => !arg.list && arg.numberAttr === undefined);
  return { stateful: head!.endsWith('!'), outputs, isFixed, defaultTypes, defaults };
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

/** Cache of outputs of nodes whose attrs determine their number: thousands for a saver's restore op. */
const listed = new WeakMap<AttrMap, { readonly op: string; readonly types: readonly DataType[] }>();

/** DataTypes of all outputs, in port order; undefined for custom ops. */
export function outputTypes(node: OpInstance): readonly DataType[] | undefined {
  const info = opInfo(node.op);
  if (!info) return undefined;
  if (info.isFixed) return info.outputs.map((arg) => argTypes(node, info, arg)[0]!);
  const known = listed.get(node.attr);
  if (known?.op === node.op) return known.types;
  const types = info.outputs.flatMap((arg) => argTypes(node, info, arg));
  listed.set(node.attr, { op: node.op, types });
  return types;
}

/** Number of outputs; undefined for custom ops. */
export function outputCount(node: OpInstance): number | undefined {
  const info = opInfo(node.op);
  return info?.isFixed ? info.outputs.length : outputTypes(node)?.length;
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
  const info = opInfo(node.op);
  if (!info) return undefined;
  let port = 0;
  for (const arg of info.outputs) {
    const count = argTypes(node, info, arg).length;
    if (arg.name === argName) return { port, count };
    port += count;
  }
  return undefined;
}

function argTypes(node: OpInstance, info: OpInfo, arg: OutputArg): DataType[] {
  if (arg.list) return attrTypes(node, arg.type as string) ?? [];
  const type =
    typeof arg.type === 'string'
      ? (attrType(node, arg.type) ?? info.defaultTypes.get(arg.type) ?? DataType.DT_INVALID)
      : arg.type;
  const plain = baseType(type);
  if (arg.numberAttr === undefined) return [plain];
  return new Array<DataType>(attrInt(node, arg.numberAttr) ?? 1).fill(plain);
}
