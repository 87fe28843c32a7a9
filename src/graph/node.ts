import type { tensorflow } from '../proto/tensorflow.js';
import type { AttrMap } from './attrs.js';
import type { Tensor } from './tensor.js';

/** One output of a node. */
export interface TensorRef {
  readonly node: string;
  /** Index of the output, from 0. */
  readonly port: number;
}

/** A NodeDef with parsed edges. Change it only through {@link Graph}. */
export interface Node {
  readonly name: string;
  /** A small number, unique and never reused in the graph: the index of the node in tables. */
  readonly id: number;
  readonly op: string;
  /** The device it is placed on; empty if TensorFlow chooses. */
  readonly device: string;
  /** Its data inputs, in order. */
  readonly inputs: readonly TensorRef[];
  /** Names of its control inputs (nodes that must run before), without '^'. */
  readonly controls: readonly string[];
  /** All attrs except for the payload of a constant, which is in `tensor`. */
  readonly attr: AttrMap;
  /** The value of a Const: a lazy handle. */
  readonly tensor: Tensor | undefined;
  /** Fields of the NodeDef that bnfix does not model, as they were on the wire. */
  readonly unknowns: readonly Uint8Array[] | undefined;
  /** Debug information on its origin (node_def.proto). */
  readonly debugInfo: tensorflow.NodeDef.ExperimentalDebugInfo.$Properties | undefined;
  /** Its full type (full_type.proto). */
  readonly fullType: tensorflow.FullTypeDef.$Properties | undefined;
}

/** The fields of a NodeDef apart from its name, its op and its edges. */
export type NodeContent = Pick<Node, 'attr' | 'tensor' | 'unknowns' | 'debugInfo' | 'fullType'>;

/** The fields of a new node; omitted ones are empty. */
export interface NodeSpec {
  readonly name: string;
  readonly op: string;
  readonly inputs?: readonly TensorRef[];
  readonly controls?: readonly string[];
  readonly attr?: AttrMap;
  readonly tensor?: Tensor | undefined;
  readonly device?: string;
  readonly unknowns?: readonly Uint8Array[] | undefined;
  readonly debugInfo?: tensorflow.NodeDef.ExperimentalDebugInfo.$Properties | undefined;
  readonly fullType?: tensorflow.FullTypeDef.$Properties | undefined;
  /** Replaces `attr` and the fields after it; may be decoded on first access. */
  readonly content?: NodeContent;
}

/** A node with all its fields, always in this order: a graph has 100,000 of them, and every pass reads each. */
export class GraphNode implements Node {
  readonly name: string;
  readonly id: number;
  op: string;
  device: string;
  inputs: readonly TensorRef[];
  controls: readonly string[];
  content: NodeContent;
  /** Cache of the producers of the inputs. */
  producers: readonly GraphNode[] | undefined;

  constructor(spec: NodeSpec, id: number) {
    this.name = spec.name;
    this.id = id;
    this.op = spec.op;
    this.device = spec.device ?? '';
    this.inputs = spec.inputs ?? NO_INPUTS;
    this.controls = spec.controls ?? NO_CONTROLS;
    this.content = spec.content ?? contentOf(spec);
    this.producers = undefined;
  }

  get attr(): AttrMap {
    return this.content.attr;
  }

  get tensor(): Tensor | undefined {
    return this.content.tensor;
  }

  get unknowns(): readonly Uint8Array[] | undefined {
    return this.content.unknowns;
  }

  get debugInfo(): NodeContent['debugInfo'] {
    return this.content.debugInfo;
  }

  get fullType(): NodeContent['fullType'] {
    return this.content.fullType;
  }
}

/** The content of a node, with omitted fields empty. */
export function contentOf({
  attr = NO_ATTRS,
  tensor,
  unknowns,
  debugInfo,
  fullType,
}: Partial<NodeContent>): NodeContent {
  return { attr, tensor, unknowns, debugInfo, fullType };
}

/** The inputs of nodes without any: one shared list. */
export const NO_INPUTS: readonly TensorRef[] = [];
/** The control inputs of nodes without any. */
export const NO_CONTROLS: readonly string[] = [];
/** The attrs of nodes without any. */
export const NO_ATTRS: AttrMap = {};

/** `name:port`, without `:0`, as in NodeDefs. */
export function refText(ref: TensorRef): string {
  return ref.port === 0 ? ref.node : `${ref.node}:${ref.port}`;
}

/** `name:port`, as users name a tensor. */
export function tensorName({ node, port }: TensorRef): string {
  return `${node}:${port}`;
}

/** Parses the name of a tensor: `a` (output 0), `a:0`, `a:1`. Whatever else follows a colon is part of the name. */
export function parseTensorName(text: string): TensorRef {
  const colon = text.lastIndexOf(':');
  if (colon > 0 && /^\d+$/.test(text.slice(colon + 1))) {
    return { node: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
  }
  return { node: text, port: 0 };
}

/** Parses an input of a NodeDef: `name`, `name:0` or `^name` (port undefined). */
export function parseInput(text: string): { node: string; port: number | undefined } {
  return text.startsWith('^') ? { node: text.slice(1), port: undefined } : parseTensorName(text);
}

/** Whether two references are to the same tensor. */
export function sameRef(a: TensorRef, b: TensorRef): boolean {
  return a.node === b.node && a.port === b.port;
}
