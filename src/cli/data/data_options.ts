import { list, named, type OptionTable } from '../option.js';

const DATA = 'Data';

/** How pixels of pictures become numbers. */
export const PIXEL_OPTIONS: OptionTable = {
  scale: named(DATA, 'NUMBER', 'pixels of pictures are (pixel - mean) * scale (default: 1)'),
  mean: named(DATA, 'NUMBERS', 'one number, or one for each channel: 123.7,116.8,103.9 (default: 0)'),
};

/** Options of commands that run a graph: what it is run with. */
export const DATA_OPTIONS: OptionTable = {
  input: list(
    DATA,
    'NAME=FILE',
    'values of an input (without NAME=: of the only one): .npy, .npz, .png, .jpg, or a folder of them (default: random)',
  ),
  ...PIXEL_OPTIONS,
  shape: list(DATA, 'NAME=SIZES', 'shape of a random input: image=4,224,224,3'),
  batch: named(DATA, 'N', 'examples in a random batch (default: 4; 2 if an example is large)'),
  range: named(DATA, 'FROM,TO', 'bounds of random values (default: 0,1)'),
  seed: named(DATA, 'N', 'seed of the random values (default: 1)'),
};
