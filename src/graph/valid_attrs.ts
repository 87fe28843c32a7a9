import type { AttrMap, AttrValue } from './attrs.js';
import { corruptGraph } from './corrupt_graph.js';
import { isDataType } from './dtype.js';
import { int64 } from './numbers.js';

/**
 * Checks the dtypes and sizes in the attrs of a node; not in those that begin with an underscore, which TensorFlow ignores.
 * @param node - its name and op, for the message
 * @param where - the file or function
 * @throws BnfixError `unreadable` with the first that cannot be
 */
export function refuseInvalidAttrs(attrs: AttrMap, node: string, where: string): void {
  for (const key of Object.keys(attrs)) {
    const fault = key.startsWith('_') ? undefined : faultOf(attrs[key]!);
    if (fault !== undefined) throw corruptGraph(where, `${node} has ${fault} as ${key}`);
  }
}

function faultOf({ type, shape, list }: AttrValue): string | undefined {
  // DT_INVALID, the default of the enum, stands for a type that does not matter.
  if (type && !isDataType(type)) return unknownType(type);
  for (const each of list?.type ?? []) if (each && !isDataType(each)) return unknownType(each);
  for (const each of shape ? [shape] : (list?.shape ?? [])) {
    for (const dim of each.dim ?? []) {
      const size = int64(dim.size);
      if (!(Number.isSafeInteger(size) && size >= -1)) return `the size ${size}`;
    }
  }
  return undefined;
}

function unknownType(type: number): string {
  return `the unknown dtype ${type}`;
}
