import type { OutputsFound } from '../freezing/outputs.js';
import type { TensorRef } from '../graph/node.js';

/** The outputs; if they have to be named, the candidates. */
export function endsOf({ refs, candidates }: OutputsFound): readonly TensorRef[] {
  return refs.length > 0 ? refs : candidates.map(({ ref }) => ref);
}
