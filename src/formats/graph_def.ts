import { encodeAs } from '../writers/graph_file.js';
import type { Format } from './format.js';

/** A frozen GraphDef in binary form. */
export const PB: Format = graphDef('pb');

/** A frozen GraphDef as text. */
export const PBTXT: Format = graphDef('pbtxt');

function graphDef(name: 'pb' | 'pbtxt'): Format {
  return {
    name,
    target: 'file',
    isOwn: () => false,
    // Text has the limit of the binary form as well: whoever reads it makes a GraphDef of it.
    encode: async ({ graph, encoded }) => [{ path: '', encoded: await encodeAs(name, { graph, encoded }) }],
  };
}
