import { freeze } from '../../src/freezing/freeze.js';
import { attrBool } from '../../src/graph/attrs.js';
import type { Graph } from '../../src/graph/graph.js';
import { load } from '../../src/load.js';
import type { tensorflow } from '../../src/proto/tensorflow.js';
import { graphOfProto } from '../../src/readers/graph_def.js';
import type { Case } from './cases.js';

/** Loads and freezes the model of a case: the bytes that would be written, and the report. */
export async function frozenBytes(one: Case) {
  const model = await load(one.model, one.load);
  try {
    const { encoded, report } = freeze(model, one.freeze);
    const bytes = Buffer.concat([...encoded.chunks()].map((chunk) => Buffer.from(chunk)));
    return { bytes, report, promised: encoded.byteLength };
  } finally {
    model.close();
  }
}

const VARIABLE_OPS =
  /^(Auto)?(Var|Read|Assign|Resource|Save|Restore|Destroy|IsVariable|Merge|Ref|Apply|ShardedFilename|Scatter(Add|Sub|Update))/;
const NOT_VARIABLE_OPS = /^(Merge|ReadFile)$/;

/** The nodes of a function; its edges do not matter here. */
function graphOfBody(nodes: readonly tensorflow.NodeDef.$Properties[]): Graph {
  const unconnected = nodes.map((node) => ({ ...node, input: [] }));
  return graphOfProto({ node: unconnected }, 'a function');
}

/** What must not be left of training in a frozen graph, one line for each. */
export function leftovers(graph: Graph, keeps: readonly string[] = []): string[] {
  const found: string[] = [];
  const bodies = (graph.header.library?.function ?? []).map((fn) => graphOfBody(fn.node_def ?? []));
  for (const node of [graph, ...bodies].flatMap((each) => [...each.nodes()])) {
    const say = (what: string) => found.push(`${node.name}: ${what}`);
    if (VARIABLE_OPS.test(node.op) && !NOT_VARIABLE_OPS.test(node.op)) say(node.op);
    const isKept = keeps.some((start) => node.name.startsWith(start));
    if (/^(Stateless)?(Random|TruncatedNormal|ParameterizedTruncated)/.test(node.op) && !isKept) say(node.op);
    if (/^FusedBatchNorm(V[23])?$/.test(node.op) && (attrBool(node, 'is_training') ?? true) && !isKept) {
      say(`${node.op} in training mode`);
    }
    if (node.device !== '') say(`device ${node.device}`);
    for (const key of ['_class', '_output_shapes']) if (key in node.attr) say(`attr ${key}`);
  }
  return found;
}

/** Edges that point backwards in the file, but the way back of a loop. */
export function edgesBackwards(graph: Graph): string[] {
  const seen = new Set<string>();
  const found: string[] = [];
  for (const node of graph.nodes()) {
    seen.add(node.name);
    for (const input of [...node.inputs.map((ref) => ref.node), ...node.controls]) {
      const isLoop = node.op === 'Merge' && graph.get(input).op === 'NextIteration';
      if (!seen.has(input) && !isLoop) found.push(`${node.name} before ${input}`);
    }
  }
  return found;
}
