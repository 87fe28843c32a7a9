/** Why a random op that acts on data is not a dropout that can be removed. */
export type RandomOpProblem =
  /** It scales data by a factor whose mean is not 1, and nothing compensates for it. */
  | { readonly code: 'unbalanced_mask' }
  /** It scales data by a factor that cannot be analysed: its elements are mixed, or its distribution is another one. */
  | { readonly code: 'not_a_mask' }
  /** Its mask broadcasts the data: without it, the output would have another shape. */
  | { readonly code: 'widens' }
  | { readonly code: 'divides' }
  | { readonly code: 'adds' }
  /** It selects tensors or elements. */
  | { readonly code: 'chooses' }
  /** It determines which branch of a tf.cond runs. */
  | { readonly code: 'branches' }
  | { readonly code: 'shuffles' }
  /** It is a parameter of an op that changes data: contrast, hue, size. */
  | { readonly code: 'changes_data' }
  /** It is part of the weights that data is multiplied by. */
  | { readonly code: 'changes_weights' };
