/** Why a random op that acts on data is no dropout that can be removed. */
export type RandomOpProblem =
  /** It scales data by a factor that is not 1 on average, and nothing makes up for it. */
  | { readonly code: 'unbalanced_mask' }
  /** It scales data in a way that is not worked out: its elements are mixed, or its law is another one. */
  | { readonly code: 'not_a_mask' }
  /** Its mask broadcasts the data: without it, the output would have another shape. */
  | { readonly code: 'widens' }
  | { readonly code: 'divides' }
  | { readonly code: 'adds' }
  /** It chooses between tensors, or which elements are taken. */
  | { readonly code: 'chooses' }
  /** It decides which branch of a tf.cond runs. */
  | { readonly code: 'branches' }
  | { readonly code: 'shuffles' }
  /** It is part of the weights that data is multiplied by. */
  | { readonly code: 'changes_weights' };
