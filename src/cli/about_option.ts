import { BnfixError, type Fix } from '../errors.js';

/** Does what concerns the file of an option: its errors name this option, not that of the result. */
export async function aboutOption<T>(option: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof BnfixError) || error.code !== 'unwritable') throw error;
    const { message, where, whyLines, fixes, cause } = error;
    const own = (fix: Fix) => (fix.option === 'output' ? { ...fix, option, value: 'FILE' } : fix);
    throw new BnfixError('unwritable', message, { where, why: whyLines, fix: fixes.map(own), cause });
  }
}
