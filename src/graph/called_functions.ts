import type { tensorflow } from '../proto/tensorflow.js';
import type { AttrMap } from './attrs.js';
import type { Graph } from './graph.js';
import type { Node } from './node.js';

/** A FunctionDef of the library of a graph. */
export type FunctionDef = tensorflow.FunctionDef.$Properties;

/** The functions of the library that nodes call, directly or indirectly, by op or by attr, in the order of the library. */
export function calledFunctions({ header }: Graph, nodes: Iterable<Node>): FunctionDef[] {
  const functions = header.library?.function ?? [];
  if (functions.length === 0) return [];
  const byName = new Map(functions.map((fn) => [fn.signature?.name ?? '', fn]));
  const called = new Set<string>();
  const call = (op: string, attrs: AttrMap) => {
    for (const name of [op, ...calledNames(attrs)]) if (byName.has(name)) called.add(name);
  };
  for (const node of nodes) call(node.op, node.attr);
  for (const name of called) for (const node of byName.get(name)?.node_def ?? []) call(node.op ?? '', node.attr ?? {});
  return functions.filter((fn) => called.has(fn.signature?.name ?? ''));
}

/** The names of the functions that attrs refer to. */
export function calledNames(attrs: AttrMap): string[] {
  const names: string[] = [];
  for (const { func, list } of Object.values(attrs)) {
    if (func?.name) names.push(func.name);
    for (const { name } of list?.func ?? []) if (name) names.push(name);
  }
  return names;
}
