import { BnfixError } from '../../errors.js';
import type { Format } from '../format.js';

/** Not implemented yet. */
export const SAVED_MODEL: Format = {
  name: 'saved_model',
  target: 'folder',
  isOwn: () => false,
  encode: async () => {
    throw new BnfixError('unsupported', 'the format saved_model is not implemented yet', { option: 'format' });
  },
};
