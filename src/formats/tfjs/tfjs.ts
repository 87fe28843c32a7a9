import { BnfixError } from '../../errors.js';
import type { Format } from '../format.js';

/** Not implemented yet. */
export const TFJS: Format = {
  name: 'tfjs',
  target: 'folder',
  isOwn: () => false,
  encode: async () => {
    throw new BnfixError('unsupported', 'the format tfjs is not implemented yet', { option: 'format' });
  },
};
