import { BnfixError } from '../errors.js';
import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/node.js';
import { topologicalOrder } from '../graph/walk.js';
import { opOfKernel } from './kernels.js';

/** Messages of TensorFlow.js about shapes that do not fit together. */
const MISFIT =
  /shape|broadcast|must match|size of the product|dimension|rank|inputDepth|inDepth|out of bounds|must be divisible|Size\(/i;

/** Whether an error is about shapes that do not fit together: of the inputs, if not of the graph. */
export function isMisfit(error: unknown): boolean {
  return error instanceof BnfixError && error.data?.misfit === true;
}

/** An op that TensorFlow.js lacks, by its message. */
const UNKNOWN_OP = /^Unknown op '([^']+)'/;

/** Whether another backend would fail as well. */
export function isLasting(cause: unknown): boolean {
  return cause instanceof BnfixError || UNKNOWN_OP.test(messageOf(cause)) || /^Error in /.test(messageOf(cause));
}

/**
 * An error of TensorFlow.js in terms of the graph.
 * @param compute - computes some nodes, and throws if they cannot be computed; undefined if only the whole graph can be
 */
export function explained(
  graph: Graph,
  cause: unknown,
  compute: ((nodes: readonly string[]) => void) | undefined,
): BnfixError {
  if (cause instanceof BnfixError) return cause;
  const message = messageOf(cause);
  const op = UNKNOWN_OP.exec(message)?.[1];
  if (op !== undefined) {
    const node = [...graph.nodes()].find((other) => other.op === op);
    return new BnfixError('unsupported', `TensorFlow.js has no op ${op}`, {
      where: node?.name,
      why: 'the graph may still be valid: TensorFlow has more ops',
      cause,
    });
  }
  const failing = compute && firstFailing(graph, compute);
  const what = failing ? `${failing.name} (${opOfKernel(failing.op)})` : 'the graph';
  return new BnfixError('unsupported', `TensorFlow.js cannot run ${what}`, {
    where: failing?.name,
    why: message,
    data: { misfit: MISFIT.test(message) },
    cause,
  });
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** The first node in the order of computation that fails: by bisection, since an error of TensorFlow.js does not say it. */
function firstFailing(graph: Graph, compute: (nodes: readonly string[]) => void): Node | undefined {
  const order = topologicalOrder(graph).filter(({ inputs }) => inputs.length > 0);
  let [from, to] = [0, order.length];
  if (!fails(endsOf(graph, order), compute)) return undefined;
  // The first `from` can be computed, the first `to` cannot.
  while (to - from > 1) {
    const middle = Math.floor((from + to) / 2);
    if (fails(endsOf(graph, order.slice(0, middle)), compute)) to = middle;
    else from = middle;
  }
  return order[from];
}

/** The nodes among others that feed none of them. */
function endsOf(graph: Graph, nodes: readonly Node[]): string[] {
  const within = new Set(nodes.map(({ name }) => name));
  const isRead = ({ name }: Node) => graph.dataConsumers(name).some((consumer) => within.has(consumer.name));
  return nodes.filter((node) => !isRead(node)).map(({ name }) => name);
}

function fails(nodes: readonly string[], compute: (nodes: readonly string[]) => void): boolean {
  try {
    compute(nodes);
    return false;
  } catch {
    return true;
  }
}
