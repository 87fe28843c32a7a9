import { shapeText } from '../../freezing/text.js';

/** An input, and whether its values are random. */
interface ShownInput {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly isRandom: boolean;
}

/** The inputs that a graph was run with: `image float32 [4,32,32,3] (random)`. */
export function inputsText(inputs: readonly ShownInput[]): string {
  const texts = inputs.map(({ name, dtype, shape, isRandom }) => {
    return `${name} ${dtype} ${shapeText(shape)}${isRandom ? ' (random)' : ''}`;
  });
  return texts.join(', ') || 'none';
}
