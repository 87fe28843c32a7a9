import { shellQuoted } from '../quoted.js';

/** Options whose flag differs from their name in the library. */
const FLAGS: Readonly<Record<string, string>> = {
  output: '-o',
  values: '--input',
  shapes: '--shape',
  inputShapes: '--input-shape',
};

/** An option of the library as it is given on the command line: `allowUntrained` is `--allow-untrained`. */
export function flagText(option: string, value?: string): string {
  // Another command, for the same model.
  if (option === 'calibrate') return `bnfix calibrate ${shellQuoted(value ?? 'MODEL')} --data FILES -o out.pb`;
  const flag = FLAGS[option] ?? `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  return value === undefined ? flag : `${flag} ${shellQuoted(value)}`;
}
