import { concatBytes } from '../io/bytes.js';
import type { EncodedGraph } from './graph_def.js';

/**
 * The binary GraphDef of a frozen or folded model in memory, weights and all.
 * @throws BnfixError `unreadable` when a weight is corrupt
 */
export function graphBytes({ encoded }: { readonly encoded: EncodedGraph }): Uint8Array {
  // A chunk is valid until the second next one: each is copied at once.
  return concatBytes(Array.from(encoded.chunks(), (chunk) => chunk.slice()));
}
