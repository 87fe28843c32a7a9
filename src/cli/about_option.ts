import { BnfixError, type Fix } from '../errors.js';

/**
 * Does what concerns the file of an option: its errors name this option, not that of the result.
 * @param value - what the help calls its value
 */
export async function aboutOption<T>(option: string, work: Promise<T>, value = 'FILE'): Promise<T> {
  return renaming(
    'output',
    work,
    (fix) => ({ ...fix, option, value }),
    ({ code }) => code === 'unwritable',
  );
}

/** Does what an option of the library concerns that this command calls by another name. */
export async function asOption<T>(option: string, own: string, work: Promise<T>): Promise<T> {
  return renaming(option, work, (fix) => ({ ...fix, option: own }));
}

async function renaming<T>(
  option: string,
  work: Promise<T>,
  renamed: (fix: Fix) => Fix,
  isMeant: (error: BnfixError) => boolean = () => true,
): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof BnfixError) || !isMeant(error)) throw error;
    const { code, message, where, whyLines, wholeWhy, fixes, candidates, data, cause } = error;
    const rename = (each: Fix) => (each.option === option ? renamed(each) : each);
    throw new BnfixError(code, message, {
      where,
      why: whyLines,
      wholeWhy,
      fix: fixes.map(rename),
      option: error.option === undefined ? undefined : rename({ option: error.option }).option,
      candidates,
      data,
      cause,
    });
  }
}
