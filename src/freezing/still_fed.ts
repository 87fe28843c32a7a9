import { BnfixError } from '../errors.js';
import type { Graph } from '../graph/graph.js';
import { refText, type TensorRef } from '../graph/node.js';
import { ancestors } from '../graph/walk.js';
import { anyOf } from '../ops/meaning.js';

/** For each output (`name`, `name:1`), the placeholders whose data reaches it. */
export type FedBy = ReadonlyMap<string, ReadonlySet<string>>;

const isPlaceholder = anyOf('placeholder');

/** Which placeholders feed each output. A control input only orders nodes, and feeds nothing. */
export function fedBy(graph: Graph, outputs: readonly TensorRef[]): FedBy {
  const fed = new Map<string, Set<string>>();
  for (const output of outputs) {
    const inputs = [...ancestors(graph, [output.node], false)].filter(isPlaceholder);
    fed.set(refText(output), new Set(inputs.map(({ name }) => name)));
  }
  return fed;
}

/**
 * Checks that every input that fed an output still does: a change that disconnects an input has lost a part of the net.
 *
 * @throws BnfixError `internal` with the output and the inputs that it lost
 */
export function assertStillFed(before: FedBy, after: FedBy): void {
  for (const [output, inputs] of before) {
    const lost = [...inputs].filter((input) => !after.get(output)?.has(input));
    if (lost.length === 0) continue;
    throw new BnfixError('internal', `the output ${output} no longer depends on ${lost.join(', ')}`, {
      where: output,
      why: `${lost.join(', ')} fed it before; nothing was written`,
      fix: ['please report it', { option: 'keep', value: '*', text: 'leaves every batch norm as it is' }],
      data: { output, lost },
    });
  }
}
