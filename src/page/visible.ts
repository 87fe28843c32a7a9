/**
 * Characters that a browser drops, or that change the order or the look of the text around them: controls, marks of
 * direction, characters without width, halves of surrogate pairs.
 */
const INVISIBLE = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** A name with its invisible characters as escapes, such as `\u202e`. */
export function visible(text: string): string {
  return text.replace(INVISIBLE, (character) => {
    const code = character.codePointAt(0)!.toString(16);
    return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`;
  });
}
