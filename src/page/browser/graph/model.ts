import type { GraphView, Mark } from '../../script_data.js';

/** The graph of the page, with everything that is derived from it once. */
export interface GraphModel {
  readonly size: number;
  readonly names: readonly string[];
  readonly opOf: (node: number) => string;
  /** The producers of the data inputs of each node, and its consumers. */
  readonly inputs: readonly (readonly number[])[];
  readonly consumers: readonly (readonly number[])[];
  readonly markOf: (node: number) => Mark | undefined;
  /** Whether a node depends on no input of the net. */
  readonly isWeight: (node: number) => boolean;
  /** Whether a node feeds no output. */
  readonly isUnused: (node: number) => boolean;
  /** The batch norms that are marked, in order. */
  readonly batchNorms: readonly number[];
}

const BATCH_NORMS: readonly Mark[] = ['training', 'switched', 'repaired', 'folded', 'kept', 'inference', 'per_example'];

/** Unpacks the graph of the page. */
export function graphModel(view: GraphView): GraphModel {
  const names = decodeNames(view);
  const inputs = view.inputs.map((distances, node) => distances.map((distance) => node - distance));
  const consumers: number[][] = inputs.map(() => []);
  for (const [node, producers] of inputs.entries()) for (const producer of producers) consumers[producer]!.push(node);
  const marks = new Map<number, Mark>();
  for (const [mark, nodes] of Object.entries(view.marks)) for (const node of nodes) marks.set(node, mark as Mark);
  const isBatchNorm = new Set(BATCH_NORMS.flatMap((mark) => view.marks[mark] ?? []));
  return {
    size: names.length,
    names,
    opOf: (node) => view.ops[view.op[node]!]!,
    inputs,
    consumers,
    markOf: (node) => marks.get(node),
    isWeight: (node) => view.parts[node] === 'w',
    isUnused: (node) => view.parts[node] === 'x',
    batchNorms: [...isBatchNorm].sort((a, b) => a - b),
  };
}

function decodeNames({ names, shared }: GraphView): string[] {
  const decoded: string[] = [];
  for (const [i, rest] of names.entries()) decoded.push((decoded[i - 1] ?? '').slice(0, shared[i]) + rest);
  return decoded;
}
