import type { TensorRef } from '../graph/node.js';

/**
 * What a pass did to one thing, or why it left it: data, which the report groups and `freezing/wording.ts` puts into words.
 * Everything is named as in the graph.
 */
export type Outcome =
  /** A function call, or an op that calls functions, was inlined. */
  | { readonly kind: 'function'; readonly node: string; readonly op: string }
  /** The graph begins at `tensor` now; `placeholder` is the node that is fed in its place. */
  | { readonly kind: 'input'; readonly tensor: TensorRef; readonly op: string; readonly placeholder: string }
  /** A flag (or another scalar) has the value of inference. */
  | { readonly kind: 'flag'; readonly node: string; readonly value: number }
  /** A Merge or Select takes its input `input` alone. */
  | { readonly kind: 'branch'; readonly node: string; readonly op: string; readonly input: number }
  /** A node is bypassed, or written as a simpler op: it only forwarded its input, or took axes of size 1 away. */
  | { readonly kind: 'simplified'; readonly node: string; readonly op: string }
  /** A tensor is replaced by the variable that averages it, or by a constant that it comes to. */
  | { readonly kind: 'statistic'; readonly tensor: TensorRef; readonly by: string | number }
  /** A batch norm uses its moving statistics now. */
  | { readonly kind: 'batch_norm'; readonly name: string }
  /** An active dropout is gone. */
  | { readonly kind: 'dropout'; readonly node: string; readonly random: string }
  /** Nodes that do not feed an output are gone. */
  | { readonly kind: 'stripped'; readonly removed: number; readonly of: number }
  /** A variable is a constant now. */
  | { readonly kind: 'variable'; readonly node: string }
  /** Functions that nothing calls are gone. */
  | { readonly kind: 'pruned_function'; readonly name: string };

/** What a pass returns: one outcome for each thing that it changed. */
export interface PassResult<O = Outcome> {
  readonly outcomes: readonly O[];
}
