import type { PassResult, PrepareContext } from '../../passes/pass.js';

/** What a pass of `fold` may look at. */
export interface FoldContext extends PrepareContext {
  /** Whether a kernel that is in use elsewhere may be written twice. */
  readonly duplicateWeights: boolean;
  /** Whether the user wants a node left as it is. */
  readonly isKept: (name: string) => boolean;
}

export const NOTHING: PassResult = { changed: [], skipped: [] };
