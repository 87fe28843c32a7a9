import { BnfixError } from '../../errors.js';
import type { GraphInput, SampleOptions } from '../../proof/samples.js';

/**
 * Refuses a batch size that no random input can have, because the graph fixes them.
 * @param given - the inputs with values; an empty name is the only input
 * @throws BnfixError `usage`
 */
export function refuseFixedBatch(
  { batch, shapes = {} }: SampleOptions,
  inputs: readonly GraphInput[],
  given: readonly string[],
): void {
  if (batch === undefined || given.includes('')) return;
  const isRandom = ({ name }: GraphInput) => !given.includes(name) && !Object.hasOwn(shapes, name);
  const random = inputs.filter((input) => isRandom(input) && input.shape?.length !== 0);
  const fixed = random.filter(({ shape }) => (shape?.[0] ?? -1) >= 0);
  const [first] = fixed;
  if (!first || fixed.length < random.length || fixed.some(({ shape }) => shape![0] === batch)) return;
  const size = first.shape![0]!;
  throw new BnfixError('usage', `a batch of ${batch} does not fit: ${first.name} has a fixed batch of ${size}`, {
    option: 'batch',
    why: `the graph declares it as [${first.shape!.map((each) => (each < 0 ? '?' : each)).join(',')}]`,
    fix: { option: 'batch', value: String(size), text: 'is what the graph takes' },
  });
}
