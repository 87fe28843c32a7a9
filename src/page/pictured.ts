import type { VerifiedValues } from '../proof/verified_values.js';
import type { TensorValues } from '../run/value.js';
import { type Images, imagesOf, type Raster, rasterOf, type TonalRange, tonalRangeOf } from './raster.js';

/** How many examples, and how many images of a kind, are shown. */
const [MOST_EXAMPLES, MOST_TENSORS] = [4, 3];

/** An image of a tensor. */
export interface Pictured {
  /** `name` of an input, `name:port` of an output. */
  readonly tensor: string;
  readonly role: 'input' | 'before' | 'after';
  readonly range: TonalRange;
  readonly raster: Raster;
}

/** The images of one example of a batch: inputs, and each output before and after. */
export interface PicturedExample {
  /** Index in the batch. */
  readonly example: number;
  readonly pictures: readonly Pictured[];
}

/** The images of a verification, one example after the other; none if no output looks like an image. */
export function* picturedExamples({ inputs, before = {}, after = {} }: VerifiedValues): Iterable<PicturedExample> {
  const outputs = batches(after).map(([tensor, images]) => ({ tensor, images, range: tonalRangeOf(images) }));
  const examples = Math.min(MOST_EXAMPLES, ...outputs.map(({ images }) => images.examples));
  if (outputs.length === 0) return;
  const given = batches(inputs).filter(([, images]) => images.examples >= examples);
  for (let example = 0; example < examples; example++) {
    const pictures = given.map(([tensor, images]) => pictured(tensor, 'input', images, example, tonalRangeOf(images)));
    for (const { tensor, images, range } of outputs) {
      // In the range of the repaired graph: what the saved one outputs beyond it would be cut off as well by a program that shows it.
      const was = before[tensor] && imagesOf(before[tensor]);
      if (was && was.examples > example) pictures.push(pictured(tensor, 'before', was, example, range));
      pictures.push(pictured(tensor, 'after', images, example, range));
    }
    yield { example, pictures };
  }
}

function batches(values: TensorValues): (readonly [tensor: string, Images])[] {
  const found = Object.entries(values).flatMap(([tensor, value]) => {
    const images = imagesOf(value);
    return images ? [[tensor, images] as const] : [];
  });
  return found.slice(0, MOST_TENSORS);
}

function pictured(
  tensor: string,
  role: Pictured['role'],
  images: Images,
  example: number,
  range: TonalRange,
): Pictured {
  return { tensor, role, range, raster: rasterOf(images, example, range) };
}
