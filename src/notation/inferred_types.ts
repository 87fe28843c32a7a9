import { type AttrMap, type AttrValue, attr, attrType } from '../graph/attrs.js';
import { DataType } from '../graph/dtype.js';
import type { TensorRef } from '../graph/node.js';
import { anyOf } from '../ops/meaning.js';
import { opInfo, outputType } from '../ops/registry.js';

/** The part of a node that its types depend on. */
interface TypedNode {
  readonly op: string;
  readonly inputs: readonly TensorRef[];
  readonly attr: AttrMap;
}

/** Finds a node by name, with all its attrs. */
type Find = (name: string) => TypedNode | undefined;

const isHandle = anyOf('handle');
const isRandom = anyOf('random');
/** Their first input is a condition or a shape. */
const takesTypeFromSecond = anyOf('select', 'fill', 'transposed_convolution');

/**
 * The type attrs that the notation omits, since they follow from the inputs: those of an output (`T`, `dtype`,
 * `Tparams`), unless the op has a default for them. Nodes without inputs, random ops and variables are float32.
 */
export function inferredTypes(node: TypedNode, find: Find): AttrMap {
  const inferred: Record<string, AttrValue> = isHandle(node) ? { dtype: attr.type(DataType.DT_FLOAT) } : {};
  const info = opInfo(node.op);
  for (const { type: key, list } of info?.outputs ?? []) {
    if (typeof key !== 'string' || info?.defaultTypes.has(key)) continue;
    if (!list) {
      const type = elementType(node, key, find);
      if (type !== undefined) inferred[key] = attr.type(type);
    } else if (key === 'T') {
      const types = node.inputs.map((ref) => typeOf(ref, find));
      if (!types.includes(undefined)) inferred[key] = { list: { type: types as DataType[] } };
    }
  }
  return inferred;
}

function elementType(node: TypedNode, key: string, find: Find): DataType | undefined {
  const [first, second] = node.inputs;
  // `U` is the type of the statistics of a fused batch norm.
  if (!first || key === 'U' || isRandom(node)) return DataType.DT_FLOAT;
  const type = typeOf(takesTypeFromSecond(node) ? (second ?? first) : first, find);
  return type === DataType.DT_RESOURCE && key === 'dtype' ? variableType(first, find) : type;
}

function typeOf({ node: name, port }: TensorRef, find: Find): DataType | undefined {
  const node = find(name);
  // 0 is DT_INVALID: the attr is missing, or not yet known.
  return (node && outputType(node, port)) || undefined;
}

/** The dtype of the variable that a handle stands for; undefined if it is forwarded around a loop. */
function variableType(handle: TensorRef, find: Find): DataType | undefined {
  const seen = new Set<TypedNode>();
  for (let node = find(handle.node); node && !seen.has(node); node = find(node.inputs[0]?.node ?? '')) {
    if (node.inputs.length === 0) return attrType(node, 'dtype');
    seen.add(node);
  }
  return undefined;
}
