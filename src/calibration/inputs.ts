import { BnfixError } from '../errors.js';
import type { Analysis } from '../freezing/analysis.js';
import type { Graph } from '../graph/graph.js';
import { anyOf } from '../ops/meaning.js';
import { type GraphInput, graphInputs } from '../proof/samples.js';
import type { SampledGraphs } from './graphs.js';

const isRandom = anyOf('random');
const hasDefault = anyOf('default_placeholder');

/** A placeholder that batch norms depend on. */
export interface NeededInput extends GraphInput {
  /** Whether it has a value if none is given. */
  readonly hasDefault: boolean;
}

/**
 * The placeholders that the inputs of batch norms depend on.
 * @throws BnfixError `unsupported` if they depend on random ops as well
 */
export function inputsOf({ sampled, training }: SampledGraphs): NeededInput[] {
  const found = new Map<string, NeededInput>();
  for (const graph of training ? [sampled, training] : [sampled]) {
    refuseRandom(graph);
    for (const input of graphInputs(graph)) {
      found.set(input.name, { ...input, hasDefault: hasDefault(graph.get(input.name)) });
    }
  }
  return [...found.values()];
}

function refuseRandom(graph: Graph): void {
  const random = [...graph.nodes()].find(isRandom);
  if (!random) return;
  throw new BnfixError('unsupported', `the statistics depend on the random op ${random.name}`, {
    where: random.name,
    why: 'they would differ from run to run',
    fix: { option: 'inputs', value: random.name, text: 'makes it an input, for which data can be given' },
  });
}

/** @throws BnfixError `usage` for a name that is no input of the graph, before or after its repair */
export function refuseUnknownInputs(names: readonly string[], inputs: readonly GraphInput[], analysis: Analysis): void {
  const known = new Set([...inputs, ...graphInputs(analysis.model.graph)].map(({ name }) => name));
  const unknown = names.find((name) => !known.has(name.replace(/:0$/, '')));
  if (unknown === undefined) return;
  throw new BnfixError('usage', `${unknown} is not an input of the graph`, {
    where: unknown,
    option: 'data',
    why: `batch norms depend on ${inputs.map(({ name }) => name).join(', ') || 'no input'}`,
  });
}
