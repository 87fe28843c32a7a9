// In place of string-width, with which yargs and wrap-ansi lay out text: the real one compiles an expression of all emojis first.
export { textWidth as default } from '../../src/cli/text_width.ts';
