import { BnfixError } from '../../errors.js';
import type { Format } from '../format.js';

/** Not implemented yet. */
export const META: Format = {
  name: 'meta',
  target: 'prefix',
  isOwn: () => false,
  encode: async () => {
    throw new BnfixError('unsupported', 'the format meta is not implemented yet', { option: 'format' });
  },
};
