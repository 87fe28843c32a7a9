import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/node.js';
import { anyOf } from '../ops/meaning.js';
import { forwardedProducer } from './edits/forwarded.js';
import type { Outcome } from './outcome.js';
import type { FinishPlan, Pass } from './pass.js';

/**
 * Gives the name of an output that is an Identity to the op that computes it: other programs drop the Identity, and its name.
 *
 *     given:   x = Placeholder[shape=[?, 8]], p = Softmax(x), y = Identity(p)      result:  x = Placeholder[shape=[?, 8]], y = Softmax(x)
 *
 * Assumes: nothing. The name of an op that something else reads, of an input, of another output, or with several outputs stays.
 */
export const nameOutputs: Pass<FinishPlan> = {
  name: 'name_outputs',
  run({ graph, outputs, isKept }) {
    const named = new Set(outputs.map(({ node }) => node));
    const outcomes: Outcome[] = [];
    for (const name of named) {
      for (let producer = renamed(graph, name); producer; producer = renamed(graph, name)) {
        if (named.has(producer.name) || isKept(producer.name)) break;
        graph.moveTo(producer, graph.get(name));
        outcomes.push({ kind: 'renamed', node: producer.name, to: name });
      }
    }
    return { outcomes };
  },
};

/** Inputs keep their names; ops of loops and branches belong to others by name. */
const keepsName = anyOf(
  'placeholder',
  'pipeline_end',
  'switch',
  'merge',
  'enter',
  'exit',
  'next_iteration',
  'loop_cond',
  'handle',
);

/** The node that could take over the name of an output: only its Identity reads it. */
function renamed(graph: Graph, name: string): Node | undefined {
  const producer = forwardedProducer(graph, name);
  return producer && graph.dataConsumers(producer.name).length === 1 && !keepsName(producer) ? producer : undefined;
}
