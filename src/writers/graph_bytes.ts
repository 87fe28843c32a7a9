import { concatBytes } from '../io/bytes.js';
import type { EncodedGraph } from './graph_def.js';

/**
 * The binary GraphDef of a frozen or folded model in memory, including its weights.
 * @example
 * import { freeze, graphBytes, load } from 'bnfix';
 * const model = await load('model.meta');
 * graphBytes(freeze(model)).length; // 30025
 * model.close();
 * @throws BnfixError `unreadable` when a weight is corrupt
 */
export function graphBytes({ encoded }: { readonly encoded: EncodedGraph }): Uint8Array {
  // A chunk is valid until the next but one: copy each at once.
  return concatBytes(Array.from(encoded.chunks(), (chunk) => chunk.slice()));
}
