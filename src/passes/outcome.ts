import type { TensorRef } from '../graph/node.js';

/**
 * What a pass did, or why it did not, as data: the report groups outcomes and `freezing/wording.ts` turns them into text.
 * Names are those of the graph.
 */
export type Outcome =
  /** A function call, or an op that calls functions, was inlined. */
  | { readonly kind: 'function'; readonly node: string; readonly op: string }
  /** The graph now begins at `tensor`; feed `placeholder` in its place. */
  | { readonly kind: 'input'; readonly tensor: TensorRef; readonly op: string; readonly placeholder: string }
  /** A placeholder has the shape that the user gave: sizes, -1 for an unknown one. */
  | { readonly kind: 'input_shape'; readonly placeholder: string; readonly shape: readonly number[] }
  /** A flag (or another scalar) was pinned to its value at inference. */
  | { readonly kind: 'flag'; readonly node: string; readonly value: number }
  /** A Merge or Select always takes its input `input`. */
  | { readonly kind: 'branch'; readonly node: string; readonly op: string; readonly input: number }
  /** A node was bypassed or replaced by a simpler op: it only forwarded its input or removed axes of size 1. */
  | { readonly kind: 'simplified'; readonly node: string; readonly op: string }
  /** The node has another name: an output was its Identity, or an output was given its name. */
  | { readonly kind: 'renamed'; readonly node: string; readonly to: string }
  /** The output that was `tensor` has the name that the user gave. */
  | { readonly kind: 'output_name'; readonly tensor: TensorRef; readonly name: string }
  /** A tensor was replaced by the variable that averages it, or by the constant that it converges to. */
  | { readonly kind: 'statistic'; readonly tensor: TensorRef; readonly by: string | number }
  /** A batch norm now uses its moving statistics. */
  | { readonly kind: 'batch_norm'; readonly name: string }
  /** An active dropout was removed. */
  | { readonly kind: 'dropout'; readonly node: string; readonly random: string }
  /** Nodes that feed no output were removed. */
  | { readonly kind: 'stripped'; readonly removed: number; readonly of: number }
  /** A variable became a constant. */
  | { readonly kind: 'variable'; readonly node: string }
  /** A lookup table is filled by an initialiser before it is read. */
  | { readonly kind: 'table'; readonly node: string; readonly initializer: string }
  /** Functions that nothing calls were removed. */
  | { readonly kind: 'pruned_function'; readonly name: string };

/** The result of a pass: one outcome per change. */
export interface PassResult<O = Outcome> {
  readonly outcomes: readonly O[];
}
