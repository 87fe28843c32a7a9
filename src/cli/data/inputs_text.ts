import { listed, shapeText } from '../../freezing/text.js';
import { printable } from '../../printable.js';
import { unbroken } from '../layout.js';
import type { InputPaths } from './input_files.js';

/** An input, and whether its values are random. */
interface ShownInput {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly isRandom: boolean;
}

/** How many files of an input are named. */
const SHOWN_FILES = 3;

/** The inputs that a graph was run with: `image float32 [4,32,32,3] (random)`, or with the files of its values. */
export function inputsText(inputs: readonly ShownInput[], paths: InputPaths): string {
  const texts = inputs.map(({ name, dtype, shape, isRandom }) => {
    const files = (paths.get(name) ?? paths.get('') ?? []).map((path) => unbroken(printable(path)));
    const from = isRandom ? ' (random)' : files.length > 0 ? ` (${listed(files, SHOWN_FILES)})` : '';
    return `${name} ${dtype} ${shapeText(shape)}${from}`;
  });
  return texts.join(', ') || 'none';
}
